// SPDX-License-Identifier: MIT
//
// A timer that rings again and again, over all moves: no ring is lost, none is made up.
#include <csignal>
#include <cstdint>
#include <ctime>

#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ns;

constexpr int64_t period = 50000000;

class Ticking final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_sigaction = [](int /*signal*/, siginfo_t* info, void* /*context*/) {
            rings_ = rings_ + rings_of(*info);
        };
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        struct sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGRTMIN + 5;
        struct itimerspec each = {};
        each.it_value.tv_nsec = period;
        each.it_interval = each.it_value;
        timer_t timer = nullptr;
        if (sigaction(event.sigev_signo, &action, nullptr) != 0 ||
            timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
            return failed("timer_create");
        }
        armed_after_ = now_ns();
        if (timer_settime(timer, 0, &each, nullptr) != 0) {
            return failed("timer_settime");
        }
        armed_before_ = now_ns();
        (void)sigemptyset(&set_);
        (void)sigaddset(&set_, event.sigev_signo);
        return nullptr;
    }

  protected:
    const char* check() override {
        const char* const wrong = await(2);
        return wrong != nullptr ? wrong : count();
    }

  private:
    // Those that came too late for a signal of their own are in the overrun of the next one.
    static int rings_of(const siginfo_t& info) { return 1 + info.si_overrun; }

    // Computes until there were so many more.
    static const char* await(int count) {
        constexpr int64_t give_up = 20000000000;
        const int enough = rings_ + count;
        const int64_t begin = now_ns();
        while (rings_ < enough) {
            if (now_ns() - begin > give_up) {
                return "the signals no longer come";
            }
        }
        return nullptr;
    }

    // The kernel counts as it hands out a signal. One is taken by hand, which waits by then, so
    // that all are counted up to a moment between two looks at the clock.
    const char* count() const {
        constexpr struct timespec some_periods = {0, 3 * period - period / 2};
        constexpr struct timespec a_while = {20, 0};
        siginfo_t info = {};
        if (sigprocmask(SIG_BLOCK, &set_, nullptr) != 0 || nanosleep(&some_periods, nullptr) != 0) {
            return failed("a sleep without signals");
        }
        const int64_t before = now_ns();
        const int taken = sigtimedwait(&set_, &info, &a_while);
        const int64_t after = now_ns();
        if (taken < 0) {
            return failed("sigtimedwait");
        }
        rings_ = rings_ + rings_of(info);
        const int rings = rings_;
        if (sigprocmask(SIG_UNBLOCK, &set_, nullptr) != 0) {
            return failed("sigprocmask");
        }
        const int64_t least = (before - armed_before_) / period;
        const int64_t most = (after - armed_after_) / period;
        return rings < least || rings > most ? differs("rings", rings, least) : nullptr;
    }

    static inline volatile sig_atomic_t rings_;
    sigset_t set_ = {};
    int64_t armed_after_ = 0;
    int64_t armed_before_ = 0;
};

const mosrig::guest::KindOf<Ticking> ticking("ticking");

}  // namespace
