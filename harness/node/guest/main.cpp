// SPDX-License-Identifier: MIT
// mosrig-run: what the rig runs on a node.
//
//     mosrig-run agent           serve the rig on standard input and output
//     mosrig-run calibrate       print the microseconds that 50 times fork, exec and wait take
//     mosrig-run fork MIB COUNT  print the nanoseconds of each of COUNT forks of a process with so
//                                much memory, until the child has exited
//     mosrig-run put PATH MODE NAME   standard input into a file (octal mode), by way of a
//     temporary;
//                                     into PATH/NAME if PATH is a directory
//     mosrig-run                 as process 1: a word on the console, then a reboot (KVM probe)
//     mosrig-run get PATH        "MODE SIZE\n" and the content of a regular file
#include <fcntl.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "harness/node/guest/agent.h"

namespace {

using mosrig::guest::Agent;

constexpr int calibrate_rounds = 50;

int fail(const std::string& what) {
    const int error = errno;
    std::fprintf(stderr, "mosrig-run: %s: %s\n", what.c_str(), std::strerror(error));
    return 1;
}

bool write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t put = ::write(fd, data.data(), data.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        data.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
}

// Copies until the end of `from`. 0, or -1 with errno set.
int pump(int from, int to) {
    std::string buffer(256U << 10, '\0');
    for (;;) {
        const ssize_t got = ::read(from, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return static_cast<int>(got);
        }
        if (!write_all(to, std::string_view(buffer).substr(0, static_cast<std::size_t>(got)))) {
            return -1;
        }
    }
}

// Commands started by the rig may migrate, whatever the profile of the node says of its daemons.
// A kernel without the file has no lock.
void drop_lock() {
    const int fd = ::open("/proc/self/lock", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        write_all(fd, "0\n");
        ::close(fd);
    }
}

int wakeup_fd = -1;

void on_child(int) {
    const int saved = errno;
    [[maybe_unused]] const ssize_t put = ::write(wakeup_fd, "c", 1);
    errno = saved;
}

int run_agent() {
    std::array<int, 2> children{};
    if (::pipe2(children.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return fail("pipe");
    }
    wakeup_fd = children[1];
    struct sigaction action = {};
    action.sa_handler = on_child;
    action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
    ::sigaction(SIGCHLD, &action, nullptr);
    // The end of the connection is seen on the descriptors, in order, not by a signal.
    for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGTERM}) {
        ::signal(number, SIG_IGN);
    }
    drop_lock();
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    Agent agent(STDIN_FILENO, STDOUT_FILENO, children[0]);
    const int status = agent.serve();
    if (!agent.has_held_pipes()) {
        return status;
    }
    // The connection must see its end now, the pipes' readers must stay.
    const pid_t keeper = ::fork();
    if (keeper != 0) {
        return keeper < 0 ? fail("fork") : status;
    }
    ::setsid();
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(null, fd);
    }
    agent.drain_held_pipes();
    return 0;
}

long long now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1'000'000'000LL + now.tv_nsec;
}

int calibrate() {
    const long long start = now_ns();
    for (int round = 0; round < calibrate_rounds; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::execl("/proc/self/exe", "mosrig-run", "nothing", nullptr);
            ::_exit(1);
        }
        int raw = 0;
        if (child < 0 || ::waitpid(child, &raw, 0) != child || raw != 0) {
            return fail("calibrate");
        }
    }
    std::printf("%lld\n", (now_ns() - start) / 1000);
    return 0;
}

int measure_forks(long mib, long count) {
    // Written to, so that it is there to be shared and torn down.
    const std::string touched(static_cast<std::size_t>(std::max(mib, 0L)) << 20, 'x');
    for (long turn = 0; turn < count; ++turn) {
        const long long start = now_ns();
        const pid_t child = ::fork();
        if (child == 0) {
            ::_exit(touched.empty() || touched.back() == 'x' ? 0 : 1);
        }
        int raw = 0;
        if (child < 0 || ::waitpid(child, &raw, 0) != child || raw != 0) {
            return fail("fork");
        }
        std::printf("%lld\n", now_ns() - start);
    }
    return 0;
}

int put_file(std::string path, const char* mode_text, const char* name) {
    const auto mode = static_cast<mode_t>(std::strtoul(mode_text, nullptr, 8));
    struct stat target = {};
    if (::stat(path.c_str(), &target) == 0 && S_ISDIR(target.st_mode)) {
        path += std::string("/") + name;
    }
    const std::string temporary = path + ".mosrig-put." + std::to_string(::getpid());
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(path);
    }
    const bool done = pump(STDIN_FILENO, fd) == 0 && ::fchmod(fd, mode) == 0 && ::close(fd) == 0 &&
                      ::rename(temporary.c_str(), path.c_str()) == 0;
    if (!done) {
        const int status = fail(path);
        ::unlink(temporary.c_str());
        return status;
    }
    return 0;
}

int get_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat source = {};
    if (fd < 0 || ::fstat(fd, &source) != 0) {
        return fail(path);
    }
    if (!S_ISREG(source.st_mode)) {
        errno = S_ISDIR(source.st_mode) ? EISDIR : EINVAL;
        return fail(path);
    }
    std::array<char, 64> head{};
    std::snprintf(head.data(), head.size(), "%o %lld\n", source.st_mode & 07777U,
                  static_cast<long long>(source.st_size));
    if (!write_all(STDOUT_FILENO, head.data()) || pump(fd, STDOUT_FILENO) != 0) {
        return fail(path);
    }
    return 0;
}

// The KVM probe boots a kernel with this program as its first process.
[[noreturn]] void prove_life() {
    std::puts("mosrig-run: alive");
    std::fflush(stdout);
    ::reboot(RB_AUTOBOOT);
    for (;;) {
        ::pause();
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (::getpid() == 1) {
        prove_life();
    }
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == "agent" && argc == 2) {
        return run_agent();
    }
    if (verb == "calibrate" && argc == 2) {
        return calibrate();
    }
    if (verb == "fork" && argc == 4) {
        return measure_forks(std::strtol(argv[2], nullptr, 10), std::strtol(argv[3], nullptr, 10));
    }
    if (verb == "nothing") {
        return 0;
    }
    if (verb == "put" && argc == 5) {
        return put_file(argv[2], argv[3], argv[4]);
    }
    if (verb == "get" && argc == 3) {
        return get_file(argv[2]);
    }
    std::fputs(
        "usage: mosrig-run agent | calibrate | fork MIB COUNT | put PATH MODE NAME | get PATH\n",
        stderr);
    return 2;
}
