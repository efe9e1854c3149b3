// SPDX-License-Identifier: MIT
#include "wire.h"

#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

extern char** environ;

namespace mosrig::guest {

namespace {

constexpr size_t line_size = 256;
constexpr int status_lost_rig = 3;
// Some ten milliseconds, emulated: the rig does not wait for its answers.
constexpr unsigned turns_of_busy = 1000000;

void write_whole(const char* bytes, size_t count) {
    while (count > 0) {
        const ssize_t done = write(STDOUT_FILENO, bytes, count);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            _exit(status_lost_rig);
        }
        bytes += done;
        count -= static_cast<size_t>(done);
    }
}

uint32_t environment_digest() {
    uint32_t digest = 2166136261U;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        for (const char* at = *entry; *at != '\0'; ++at) {
            digest = (digest ^ static_cast<unsigned char>(*at)) * 16777619U;
        }
    }
    return digest;
}

void say_identity() {
    char place[128];
    char host[64];
    char text[line_size];
    if (getcwd(place, sizeof place) == nullptr) {
        (void)snprintf(place, sizeof place, "?");
    }
    if (gethostname(host, sizeof host) != 0) {
        (void)snprintf(host, sizeof host, "?");
    }
    (void)snprintf(text, sizeof text, "IDENTITY pid=%d ppid=%d uid=%d cwd=%s host=%s env=%08x",
                   getpid(), getppid(), static_cast<int>(getuid()), place, host,
                   environment_digest());
    say(text);
}

// False once the workload has been told to end; `busy` is set once it has been told to compute.
bool obey(Workload& workload, const char* word, bool& busy) {
    if (strcmp(word, "BUSY") == 0) {
        busy = true;
        answer(nullptr);
    } else if (strcmp(word, "VERIFY") == 0) {
        answer(workload.verify());
    } else if (strcmp(word, "RELEASE") == 0) {
        answer(workload.release());
    } else if (strcmp(word, "IDENTITY") == 0) {
        say_identity();
    } else if (strcmp(word, "END") == 0) {
        char summary[line_size - 16];
        char text[line_size];
        workload.summary(summary, sizeof summary);
        (void)snprintf(text, sizeof text, "SUMMARY %s", summary);
        say(text);
        return false;
    } else if (!workload.command(word)) {
        answer("unknown word");
    }
    return true;
}

}  // namespace

void say(const char* text) {
    char line[line_size + 1];
    const int length = snprintf(line, sizeof line, "%s\n", text);
    if (length > 0) {
        // One write a line: a reader never sees half of one.
        write_whole(line, static_cast<size_t>(length) < sizeof line ? static_cast<size_t>(length)
                                                                    : sizeof line - 1);
    }
}

void answer(const char* wrong) {
    char text[line_size];
    if (wrong == nullptr) {
        say("OK");
        return;
    }
    (void)snprintf(text, sizeof text, "BAD %s", wrong);
    say(text);
}

const char* errno_text() {
    const char* name = strerrorname_np(errno);
    return name != nullptr ? name : "error";
}

int skip(const char* why) {
    constexpr int status_skip = 77;
    char text[line_size];
    (void)snprintf(text, sizeof text, "SKIP %s", why);
    say(text);
    return status_skip;
}

int serve(Workload& workload, bool say_ready) {
    char line[line_size];
    size_t filled = 0;
    bool busy = false;
    volatile unsigned sum = 0;
    if (say_ready) {
        say("READY");
    }
    for (;;) {
        workload.work();
        // Calls would tie it to its node, which is best for those: it has to compute.
        for (unsigned turn = 0; busy && turn < turns_of_busy; ++turn) {
            sum = sum + turn;
        }
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        const int ready = poll(&input, 1, busy ? 0 : workload.patience_ms());
        if (ready < 0 && errno != EINTR) {
            return status_lost_rig;
        }
        if (ready <= 0) {
            continue;
        }
        const ssize_t count = read(STDIN_FILENO, line + filled, sizeof line - 1 - filled);
        if (count == 0 || (count < 0 && errno != EINTR)) {
            return status_lost_rig;
        }
        filled += count > 0 ? static_cast<size_t>(count) : 0;
        line[filled] = '\0';
        for (char* end = strchr(line, '\n'); end != nullptr; end = strchr(line, '\n')) {
            *end = '\0';
            const bool more = obey(workload, line, busy);
            filled -= static_cast<size_t>(end + 1 - line);
            memmove(line, end + 1, filled + 1);
            if (!more) {
                return 0;
            }
        }
        if (filled == sizeof line - 1) {
            return status_lost_rig;
        }
    }
}

}  // namespace mosrig::guest
