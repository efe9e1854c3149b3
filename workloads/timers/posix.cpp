// SPDX-License-Identifier: MIT
//
// timer_create and alarm, with the value that the signal carries.
#include <unistd.h>

#include "expiry.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::Expiry;
using mosrig::guest::KindOf;
using mosrig::guest::now_ns;

constexpr int payload = 4711;

template <clockid_t source, int seconds>
class PosixTimer : public Expiry {
  public:
    explicit PosixTimer(const char* name) : Expiry(name, SIGRTMIN + 3) {}

    const char* hold() override {
        struct sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = signal();
        event.sigev_value.sival_int = payload;
        if (timer_create(source, &event, &timer_) != 0) {
            return mosrig::guest::failed("timer_create");
        }
        return Expiry::hold();
    }

  protected:
    int64_t arm() override { return set(seconds) ? seconds * second : 0; }
    void disarm() override { (void)set(0); }

    const char* judge(const siginfo_t& info) override {
        if (info.si_code != SI_TIMER) {
            return differs("si_code", info.si_code, SI_TIMER);
        }
        if (info.si_value.sival_int != payload) {
            return differs("si_value", info.si_value.sival_int, payload);
        }
        return Expiry::judge(info);
    }

  private:
    bool set(time_t time) {
        struct itimerspec value = {};
        value.it_value.tv_sec = time;
        return timer_settime(timer_, 0, &value, nullptr) == 0;
    }

    timer_t timer_ = nullptr;
};

class CpuTimer final : public PosixTimer<CLOCK_PROCESS_CPUTIME_ID, mosrig::guest::cpu_seconds> {
    using PosixTimer::PosixTimer;
    [[nodiscard]] int64_t clock() const override { return cpu_time(); }
};

class WallTimer final : public PosixTimer<CLOCK_MONOTONIC, 8> {
    using PosixTimer::PosixTimer;
    [[nodiscard]] int64_t clock() const override { return now_ns(); }
    [[nodiscard]] int64_t patience() const override { return second; }
};

class Alarm final : public Expiry {
  public:
    explicit Alarm(const char* name) : Expiry(name, SIGALRM) {}

  protected:
    int64_t arm() override {
        (void)alarm(8);
        return 8 * second;
    }
    [[nodiscard]] int64_t clock() const override { return now_ns(); }
    [[nodiscard]] int64_t patience() const override { return second; }
};

const KindOf<CpuTimer> cpu_timer("timer-cpu");
const KindOf<WallTimer> wall_timer("timer-monotonic");
const KindOf<Alarm> alarm_clock("alarm");

}  // namespace
