// SPDX-License-Identifier: MIT
//
// Real-time classes.
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

// As the kernel has it; its header and the C library's do not go together.
struct Attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

template <int policy, int priority>
class RealTime final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return set(policy); }
    const char* release() override { return set(SCHED_NORMAL); }

  private:
    static const char* set(int wanted) {
        constexpr uint64_t millisecond = 1000000;
        Attributes attributes = {};
        attributes.size = sizeof attributes;
        attributes.policy = static_cast<uint32_t>(wanted);
        if (wanted == SCHED_DEADLINE) {
            attributes.runtime = 50 * millisecond;
            attributes.deadline = 100 * millisecond;
            attributes.period = 100 * millisecond;
        } else if (wanted != SCHED_NORMAL) {
            attributes.priority = priority;
        }
        return syscall(SYS_sched_setattr, 0, &attributes, 0) != 0 ? failed("sched_setattr")
                                                                  : nullptr;
    }
};

const KindOf<RealTime<SCHED_FIFO, 1>> first_in("sched-fifo");
const KindOf<RealTime<SCHED_RR, 1>> round_robin("sched-rr");
const KindOf<RealTime<SCHED_DEADLINE, 0>> deadline("sched-deadline");

}  // namespace
