// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "workloads/lib/wrong.h"

namespace mosrig::guest {

// A handler of SIGUSR1 that counts its runs and tells a child of each. There is one in a program.
class NotedSignal {
  public:
    // Before there is a child; false with errno.
    bool open() {
        const bool opened = pipe2(told_, O_CLOEXEC) == 0;
        note_to_ = told_[1];
        return opened;
    }

    // From now on it runs with these flags, and has not run yet; nullptr or what failed.
    static const char* handle(int flags) {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) {
            const int error = errno;
            runs_ = runs_ + 1;
            (void)!write(note_to_, "h", 1);
            errno = error;
        };
        action.sa_flags = flags;
        runs_ = 0;
        return sigaction(SIGUSR1, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
    }
    static const char* expect_one() {
        return runs_ != 1 ? differs("runs of the handler", runs_, 1) : nullptr;
    }

    // Of the child: sends its parent that signal, and waits until it has been handled; nullptr, or
    // that it has not.
    [[nodiscard]] const char* send() const {
        return kill(getppid(), SIGUSR1) == 0 && hears(told_[0])
                   ? nullptr
                   : "the handler of a signal has not run";
    }

    // Whether a letter comes within some seconds.
    static bool hears(int fd) {
        constexpr int patience_ms = 20000;
        struct pollfd word = {fd, POLLIN, 0};
        char letter = 0;
        return poll(&word, 1, patience_ms) == 1 && read(fd, &letter, 1) == 1;
    }

  private:
    static inline int note_to_;
    static inline volatile sig_atomic_t runs_;
    int told_[2] = {-1, -1};
};

}  // namespace mosrig::guest
