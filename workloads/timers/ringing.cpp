// SPDX-License-Identifier: MIT
//
// setitimer: timers on CPU time that ring a hundred times a second, as a profiler's do. Their
// signal does not queue, so that a ring is lost where the next one finds it still waiting.
#include <sys/time.h>

#include <cstring>

#include "expiry.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::differs;
using mosrig::guest::Expiry;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

// RING computes for some seconds, and compares how many rings came in a second with what came at
// home in the beginning: an emulated node, which makes up for several ticks at once, loses some.
template <__itimer_which which, int number>
class Ringing : public Expiry {
  public:
    explicit Ringing(const char* name) : Expiry(name, number) {}

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { rings_ = rings_ + 1; };
        action.sa_flags = SA_RESTART;
        if (sigaction(number, &action, nullptr) != 0) {
            return failed("sigaction");
        }
        at_home_ = ring();
        return at_home_ < 0 ? failed("setitimer") : nullptr;
    }

    bool command(const char* word) override {
        if (strcmp(word, "RING") != 0) {
            return Expiry::command(word);
        }
        const int64_t away = ring();
        const bool enough = away * 4 >= at_home_ * 3;
        answer(enough ? nullptr : differs("rings in a second of CPU time", away, at_home_));
        return true;
    }

  protected:
    int64_t arm() override { return set(interval) ? interval : 0; }
    void disarm() override { (void)set(0); }

  private:
    static constexpr int64_t interval = second / 100;

    static bool set(int64_t time) {
        struct itimerval timer = {};
        timer.it_value.tv_usec = time / 1000;
        timer.it_interval = timer.it_value;
        return setitimer(which, &timer, nullptr) == 0;
    }

    // Rings in a second of the clock that decides; -1 if there is no timer.
    int64_t ring() {
        constexpr int steps_without_call = 20000000;
        rings_ = 0;
        const int64_t start = clock();
        if (arm() == 0) {
            return -1;
        }
        // From calls home would learn what it has used, whatever becomes of the body's own word.
        do {
            mosrig::guest::compute(steps_without_call);
        } while (clock() - start < 2 * second);
        disarm();
        return rings_ * second / (clock() - start);
    }

    static inline volatile sig_atomic_t rings_;
    int64_t at_home_ = 0;
};

class Profiler final : public Ringing<ITIMER_PROF, SIGPROF> {
    using Ringing::Ringing;
    [[nodiscard]] int64_t clock() const override { return ticked_time(); }
};

class Virtual final : public Ringing<ITIMER_VIRTUAL, SIGVTALRM> {
    using Ringing::Ringing;
    [[nodiscard]] int64_t clock() const override { return ticked_user_time(); }
};

const KindOf<Profiler> profiler("itimer-prof-ringing");
const KindOf<Virtual> virtual_time("itimer-virtual-ringing");

}  // namespace
