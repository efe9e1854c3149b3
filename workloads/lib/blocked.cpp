// SPDX-License-Identifier: MIT
#include "blocked.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "await.h"
#include "bytes.h"
#include "scratch.h"
#include "state.h"

namespace mosrig::guest {

namespace {

// Whether the process comes to wait for the lock: only then is it in the call.
bool await_waiting(pid_t process) {
    static char locks[16384];
    char waiter[64];
    (void)snprintf(waiter, sizeof waiter, "-> FLOCK  ADVISORY  WRITE %d ", process);
    return await([&] {
        (void)read_text("/proc/locks", locks, sizeof locks);
        return strstr(locks, waiter) != nullptr;
    });
}

}  // namespace

const char* Blocked::stays_for(pid_t process, const char* word) {
    static char words[128];
    char path[32];
    char line[32];
    (void)snprintf(path, sizeof path, "/proc/%d/cantmove", process);
    (void)snprintf(line, sizeof line, "%s\n", word);
    (void)read_text(path, words, sizeof words);
    return strcmp(words, line) != 0 ? reads("cantmove", words) : nullptr;
}

const char* Blocked::hold() {
    file_ = scratch_file(O_CLOEXEC);
    const char* const wrong =
        file_ < 0 ? failed("a file") : helper_.start(begin_other, end_other, this);
    // The first time is at home, where the other opens what it needs.
    return wrong != nullptr ? wrong : act();
}

const char* Blocked::act() {
    ++turn_;
    if (const char* wrong = prepare(); wrong != nullptr) {
        return wrong;
    }
    if (const char* wrong = helper_.act(); wrong != nullptr) {
        return wrong;
    }
    if (flock(file_, LOCK_EX) != 0 || flock(file_, LOCK_UN) != 0) {
        return failed("flock");
    }
    // What the process then sees comes first: to be told of it is a call more.
    const char* const seen = check();
    const char* const wrong = helper_.undo();
    return wrong != nullptr ? wrong : seen;
}

// In the child: it takes the lock, and leaves the rest to a child of its own, whose lock it then is
// as well. The process does not wait for that one, but for the lock.
const char* Blocked::begin_other(void* data) {
    auto& self = *static_cast<Blocked*>(data);
    ++self.turn_;
    if (self.lock_ < 0) {
        if (const char* wrong = self.open_other(getppid()); wrong != nullptr) {
            return wrong;
        }
        self.lock_ = reopen(self.file_, O_RDONLY);
        if (self.lock_ < 0 || pipe2(self.said_, O_CLOEXEC) != 0) {
            return failed("a file, a pipe");
        }
    }
    if (flock(self.lock_, LOCK_EX) != 0) {
        return failed("flock in the child");
    }
    const pid_t process = getppid();
    self.other_ = fork();
    if (self.other_ == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        self.be_other(process);
    }
    return self.other_ < 0 ? failed("fork") : nullptr;
}

const char* Blocked::end_other(void* data) {
    auto& self = *static_cast<Blocked*>(data);
    static char text[160];
    if (!read_all(self.said_[0], text, sizeof text) ||
        waitpid(self.other_, nullptr, 0) != self.other_) {
        return failed("the words of the other");
    }
    return text[0] != '\0' ? text : nullptr;
}

const char* Blocked::disturb(pid_t process) {
    if (!await_waiting(process)) {
        return "nobody is seen to wait for the lock";
    }
    if (!stopped_) {
        return meanwhile(process);
    }
    if (kill(process, SIGSTOP) != 0 || !await_state(process, 'T')) {
        return failed("SIGSTOP");
    }
    const char* const wrong = meanwhile(process);
    const bool still = wrong != nullptr || await_state(process, 'T');
    const bool again = kill(process, SIGCONT) == 0 && await_waiting(process);
    if (wrong != nullptr) {
        return wrong;
    }
    if (!still || !again) {
        return still ? "it does not wait again, let go on" : "it has not stayed stopped";
    }
    return afterwards(process);
}

void Blocked::be_other(pid_t process) {
    const char* wrong = disturb(process);
    const bool free = flock(lock_, LOCK_UN) == 0;
    if (wrong == nullptr && !stopped_) {
        wrong = afterwards(process);
    }
    char text[160] = {};
    (void)snprintf(text, sizeof text, "%s", wrong != nullptr ? wrong : "");
    _exit(free && write_all(said_[1], text, sizeof text) ? 0 : 1);
}

}  // namespace mosrig::guest
