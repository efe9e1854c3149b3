// SPDX-License-Identifier: MIT
//
// Reasons that another process makes while this one waits in a call that nothing breaks off, or is
// stopped: it comes home when it goes on.
#include <sched.h>
#include <unistd.h>

#include "workloads/lib/blocked.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"
#include "workloads/stay/counter.h"
#include "workloads/stay/policy.h"

namespace {

using mosrig::guest::Blocked;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::place_of;
using mosrig::guest::set_class;

// Whoever makes the reason does not wait, and does not break the call off.
class GivenReason : public Blocked {
  public:
    using Blocked::Blocked;

  protected:
    // Of the other; nullptr or what failed.
    virtual const char* give(pid_t process) = 0;
    [[nodiscard]] virtual const char* word() const = 0;

    const char* meanwhile(pid_t process) override {
        const int place = place_of(process);
        if (const char* wrong = give(process); wrong != nullptr) {
            return wrong;
        }
        if (place_of(process) != place) {
            return differs("where it is", place_of(process), place);
        }
        return stays_for(process, word());
    }

    // The reason lasts at least until it has come.
    const char* afterwards(pid_t process) override {
        const char* const wrong = mosrig::guest::comes_home(process);
        return wrong != nullptr ? wrong : stays_for(process, word());
    }
};

// The class stays with the process until RELEASE.
class Scheduled final : public GivenReason {
  public:
    using GivenReason::GivenReason;

    const char* hold() override {
        const char* const wrong = Blocked::hold();
        return wrong != nullptr ? wrong : release();
    }
    const char* release() override { return set_class(0, SCHED_OTHER, 0); }

  protected:
    const char* give(pid_t process) override { return set_class(process, SCHED_FIFO, 1); }
    [[nodiscard]] const char* word() const override { return "rt_sched"; }
};

// The event goes with the other.
class Counted final : public GivenReason {
  public:
    using GivenReason::GivenReason;

  protected:
    const char* give(pid_t process) override {
        return mosrig::guest::count_time(process) < 0 ? failed("perf_event_open") : nullptr;
    }
    [[nodiscard]] const char* word() const override { return "perf_mmap"; }
};

const KindOf<Scheduled> sched_in_a_call("sched-in-a-call");
const KindOf<Scheduled, true> sched_stopped("sched-stopped");
const KindOf<Counted> perf_in_a_call("perf-in-a-call");
const KindOf<Counted, true> perf_stopped("perf-stopped");

}  // namespace
