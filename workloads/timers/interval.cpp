// SPDX-License-Identifier: MIT
//
// setitimer: CPU time of both modes, of user mode, and time of the wall.
#include <sys/time.h>

#include "expiry.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::Expiry;
using mosrig::guest::KindOf;
using mosrig::guest::now_ns;

template <__itimer_which which, int number, int seconds>
class Interval : public Expiry {
  public:
    explicit Interval(const char* name) : Expiry(name, number) {}

  protected:
    int64_t arm() override { return set(seconds) ? seconds * second : 0; }
    void disarm() override { (void)set(0); }

  private:
    static bool set(time_t time) {
        struct itimerval timer = {};
        timer.it_value.tv_sec = time;
        return setitimer(which, &timer, nullptr) == 0;
    }
};

class Profiling final : public Interval<ITIMER_PROF, SIGPROF, mosrig::guest::cpu_seconds> {
    using Interval::Interval;
    [[nodiscard]] int64_t clock() const override { return ticked_time(); }
};

class Virtual final : public Interval<ITIMER_VIRTUAL, SIGVTALRM, mosrig::guest::cpu_seconds> {
    using Interval::Interval;
    [[nodiscard]] int64_t clock() const override { return ticked_user_time(); }
};

// Long enough for a move on a slow node to be over before.
class Real final : public Interval<ITIMER_REAL, SIGALRM, 8> {
    using Interval::Interval;
    [[nodiscard]] int64_t clock() const override { return now_ns(); }
    [[nodiscard]] int64_t patience() const override { return second; }
};

const KindOf<Profiling> profiling("itimer-prof");
const KindOf<Virtual> virtual_time("itimer-virtual");
const KindOf<Real> real("itimer-real");

}  // namespace
