// SPDX-License-Identifier: MIT
#include "harness/node/guest/job.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "harness/base/pointers.h"

namespace mosrig::guest {

namespace {

constexpr int status_not_executable = 126;
constexpr int status_not_found = 127;

struct Ends {
    int read = -1;
    int write = -1;
};

bool open_pipe(Ends& ends) {
    std::array<int, 2> fds{-1, -1};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
        return false;
    }
    ends = {fds[0], fds[1]};
    return true;
}

void say(const std::string& what, int error_number) {
    const std::string text = "mosrig-run: " + what + ": " + std::strerror(error_number) + "\n";
    // Nobody is left to tell if standard error is gone.
    [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, text.data(), text.size());
}

// In the child: becomes the command. Never returns.
[[noreturn]] void become(Command command, int in, int out, int err) {
    ::setsid();
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    for (int number = 1; number < NSIG; ++number) {
        ::signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::umask(022);
    if (::chdir(command.directory.c_str()) != 0) {
        say(command.directory, errno);
        ::_exit(status_not_executable);
    }
    if (const int error = become_user(command.user); error != 0) {
        say("cannot become user " + std::to_string(command.user), error);
        ::_exit(status_not_executable);
    }
    std::vector<char*> environment = pointers(command.environment);
    std::vector<char*> argv = pointers(command.argv);
    // execvpe would look the name up in the agent's PATH, not in the command's.
    environ = environment.data();
    ::execvp(argv[0], argv.data());
    const int error = errno;
    say(command.argv[0], error);
    ::_exit(error == ENOENT || error == ENOTDIR ? status_not_found : status_not_executable);
}

// Waits until the child has become the command, or has ended: nobody else has the other end, and
// both close it.
void await_command(int begun) {
    char none = 0;
    while (::read(begun, &none, 1) < 0 && errno == EINTR) {
    }
}

}  // namespace

void close_end(int& fd) {
    if (fd >= 0) {
        ::close(fd);
    }
    fd = -1;
}

int become_user(std::uint32_t user) {
    if (user == 0) {
        return 0;
    }
    const bool done = (::geteuid() != 0 || ::setgroups(0, nullptr) == 0) &&
                      ::setresgid(user, user, user) == 0 && ::setresuid(user, user, user) == 0;
    return done ? 0 : errno;
}

int start_job(const Command& command, Job& job) {
    if (command.argv.empty()) {
        return EINVAL;
    }
    Ends in;
    Ends out;
    Ends err;
    Ends begun;
    int error = 0;
    pid_t pid = -1;
    if (!open_pipe(in) || !open_pipe(out) || !open_pipe(err) || !open_pipe(begun)) {
        error = errno;
    } else {
        // The agent ignores signals that the command must not; until the child has put that right
        // a signal to it has to wait, or it would be lost.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        ::sigprocmask(SIG_BLOCK, &all, &before);
        pid = ::fork();
        error = pid < 0 ? errno : 0;
        if (pid == 0) {
            become(command, in.read, out.write, err.write);
        }
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
    }
    close_end(in.read);
    close_end(out.write);
    close_end(err.write);
    close_end(begun.write);
    if (pid > 0) {
        await_command(begun.read);
    }
    close_end(begun.read);
    if (error != 0) {
        close_end(in.write);
        close_end(out.read);
        close_end(err.read);
        return error;
    }
    for (const int fd : {in.write, out.read, err.read}) {
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    job.pid = pid;
    job.in = in.write;
    job.out = out.read;
    job.err = err.read;
    return 0;
}

}  // namespace mosrig::guest
