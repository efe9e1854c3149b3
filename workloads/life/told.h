// SPDX-License-Identifier: MIT
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "workloads/lib/wrong.h"

namespace mosrig::guest {

// What is told of a child, by a wait or by its signal, is what it must be; nullptr, or what is not.
inline const char* told_of(const siginfo_t& info, pid_t child, int code, int status) {
    if (info.si_signo != SIGCHLD || info.si_code != code) {
        return differs("code told of a child", info.si_code, code);
    }
    if (info.si_pid != child || info.si_uid != getuid()) {
        return differs("pid told of a child", info.si_pid, child);
    }
    return info.si_status != status ? differs("status told of a child", info.si_status, status)
                                    : nullptr;
}

}  // namespace mosrig::guest
