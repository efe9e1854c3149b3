// SPDX-License-Identifier: GPL-2.0-only
// rt_sched: a real-time class is a promise about this node's CPUs.
#include <fmt/format.h>
#include <sched.h>

#include "moswhy/explain.h"

namespace mosrig {
namespace {

constexpr int deadline = 6;  // SCHED_DEADLINE, which the C library's header leaves out

const char* policy_name(int policy) {
    switch (policy) {
        case SCHED_FIFO:
            return "SCHED_FIFO";
        case SCHED_RR:
            return "SCHED_RR";
        case deadline:
            return "SCHED_DEADLINE";
        default:
            return nullptr;
    }
}

}  // namespace

Explanation explain_rt_sched(const Subject& subject) {
    Explanation explanation;
    for (const Thread& thread : subject.threads()) {
        const auto scheduling = subject.scheduling_of(thread.tid);
        const char* policy = scheduling ? policy_name(scheduling->policy) : nullptr;
        if (policy != nullptr) {
            explanation.causes.push_back(scheduling->policy == deadline
                                             ? fmt::format("its policy is {}", policy)
                                             : fmt::format("its policy is {}, its priority {}",
                                                           policy, scheduling->priority));
            break;
        }
    }
    explanation.remedy = "It can move once it is scheduled like any other:";
    explanation.command = fmt::format("chrt --other --pid 0 {}", subject.pid());
    return explanation;
}

}  // namespace mosrig
