// SPDX-License-Identifier: MIT
//
// A timer that rings again and again, over all moves: no ring is lost for good, none is made up.
#include <sys/time.h>

#include <csignal>
#include <ctime>

#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ms;

constexpr long period_ms = 50;

class Ticking final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_sigaction = ring;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        struct sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGRTMIN + 5;
        struct itimerspec period = {};
        period.it_value.tv_nsec = period_ms * 1000000;
        period.it_interval = period.it_value;
        timer_t timer = nullptr;
        begin_ = now_ms();
        if (sigaction(event.sigev_signo, &action, nullptr) != 0 ||
            timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
            timer_settime(timer, 0, &period, nullptr) != 0) {
            return failed("timer_create");
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        const long long before = (now_ms() - begin_) / period_ms;
        const long long seen = rings_;
        const long long after = (now_ms() - begin_) / period_ms;
        // Those that came too late for a signal of their own are in the overrun of the next one, so
        // the last few may still be missing.
        constexpr long long slack = 40;
        return seen > after + 1 || seen < before - slack ? differs("rings", seen, before) : nullptr;
    }

  private:
    static void ring(int /*signal*/, siginfo_t* info, void* /*context*/) {
        rings_ = rings_ + 1 + info->si_overrun;
    }

    static inline volatile sig_atomic_t rings_;
    long long begin_ = 0;
};

const mosrig::guest::KindOf<Ticking> ticking("ticking");

}  // namespace
