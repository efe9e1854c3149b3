// SPDX-License-Identifier: MIT
#include "harness/process/local_program.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "harness/base/pointers.h"

namespace mosrig {

Result<std::unique_ptr<Program>> LocalProgram::start(const std::vector<std::string>& argv,
                                                     const std::vector<std::string>& environment) {
    MOSRIG_TRY(Pipe input, make_pipe());
    MOSRIG_TRY(Pipe output, make_pipe());
    std::vector<std::string> words = argv;
    std::vector<std::string> settings = environment;
    const std::vector<char*> arguments = pointers(words);
    const pid_t pid = ::fork();
    if (pid < 0) {
        return errno_error("cannot start " + argv.front(), errno);
    }
    if (pid == 0) {
        // A group of its own, so that the whole of it can be ended.
        (void)::setpgid(0, 0);
        (void)::dup2(input.read_end.get(), STDIN_FILENO);
        (void)::dup2(output.write_end.get(), STDOUT_FILENO);
        for (std::string& setting : settings) {
            (void)::putenv(setting.data());
        }
        (void)::execvp(arguments.front(), arguments.data());
        ::_exit(127);
    }
    return std::unique_ptr<Program>(
        new LocalProgram(pid, std::move(input.write_end), std::move(output.read_end)));
}

LocalProgram::~LocalProgram() {
    (void)::kill(-pid_, SIGKILL);
    if (!status_) {
        (void)::waitpid(pid_, nullptr, 0);
    }
}

Result<void> LocalProgram::write_line(std::string_view line, const Deadline& /*deadline*/) {
    const std::string text = std::string(line) + "\n";
    if (::write(input_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return errno_error("cannot write to the program", errno);
    }
    return {};
}

Result<std::optional<std::string>> LocalProgram::read_line(const Deadline& deadline) {
    for (;;) {
        const size_t end = buffered_.find('\n');
        if (end != std::string::npos) {
            std::string line = buffered_.substr(0, end);
            buffered_.erase(0, end + 1);
            return line;
        }
        if (at_end_) {
            if (buffered_.empty()) {
                return std::nullopt;
            }
            return std::exchange(buffered_, {});
        }
        struct pollfd readable = {output_.get(), POLLIN, 0};
        if (::poll(&readable, 1, deadline.poll_timeout()) == 0) {
            return deadline.error();
        }
        std::array<char, 4096> bytes{};
        const ssize_t count = ::read(output_.get(), bytes.data(), bytes.size());
        at_end_ = count == 0 || (count < 0 && errno != EINTR);
        buffered_.append(bytes.data(), count > 0 ? static_cast<size_t>(count) : 0);
    }
}

Result<int> LocalProgram::wait(const Deadline& deadline) {
    if (status_) {
        return *status_;
    }
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    struct pollfd ended = {handle.get(), POLLIN, 0};
    if (::poll(&ended, 1, deadline.poll_timeout()) == 0) {
        return deadline.error();
    }
    int status = 0;
    (void)::waitpid(pid_, &status, 0);
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return *status_;
}

Result<void> LocalProgram::kill(const Deadline& /*deadline*/) {
    (void)::kill(-pid_, SIGKILL);
    return {};
}

}  // namespace mosrig
