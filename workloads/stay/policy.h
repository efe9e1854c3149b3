// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>
#include <sys/types.h>

#include "workloads/lib/wrong.h"

namespace mosrig::guest {

// Gives a process, 0 for this one, that class of the scheduler; nullptr or what failed.
inline const char* set_class(pid_t pid, int policy, int priority) {
    struct sched_param parameter = {};
    parameter.sched_priority = priority;
    return sched_setscheduler(pid, policy, &parameter) != 0 ? failed("sched_setscheduler")
                                                            : nullptr;
}

}  // namespace mosrig::guest
