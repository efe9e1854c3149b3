// SPDX-License-Identifier: GPL-2.0-only
// Going into the background such that the caller learns whether it worked.
#pragma once

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "common/fd.h"

namespace mosrig {

class Detached {
  public:
    // Forks. In the parent: waits until the child is ready() or ended and returns the exit
    // status for it; the child's own words on stderr are the explanation. In the child: nothing.
    std::optional<int> detach() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            std::perror("omd: pipe");
            return 1;
        }
        Fd reader(ends[0]);
        writer_.reset(ends[1]);
        const pid_t pid = ::fork();
        if (pid < 0) {
            std::perror("omd: fork");
            return 1;
        }
        if (pid > 0) {
            writer_.reset();
            char byte = 0;
            ssize_t got = 0;
            while ((got = ::read(reader.get(), &byte, 1)) < 0 && errno == EINTR) {
            }
            return got == 1 ? 0 : 1;
        }
        ::setsid();
        return std::nullopt;
    }

    // The child works: lets go of the directory, the terminal and the parent.
    void ready() {
        if (!writer_.valid()) {
            return;
        }
        [[maybe_unused]] const int moved = ::chdir("/");
        const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            ::dup2(null.get(), fd);
        }
        [[maybe_unused]] const ssize_t sent = ::write(writer_.get(), "", 1);
        writer_.reset();
    }

  private:
    Fd writer_;
};

}  // namespace mosrig
