// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

#include "workloads/lib/wrong.h"

namespace mosrig::guest {

// Whether the process blocks these signals and no others; nullptr, or which one is not as it was.
inline const char* blocks_as(const sigset_t& before) {
    sigset_t now;
    if (sigprocmask(SIG_BLOCK, nullptr, &now) != 0) {
        return failed("sigprocmask");
    }
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
        if (sigismember(&now, signal) != sigismember(&before, signal)) {
            return differs("a signal that is blocked, or not", signal, 0);
        }
    }
    return nullptr;
}

}  // namespace mosrig::guest
