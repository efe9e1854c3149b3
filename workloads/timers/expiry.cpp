// SPDX-License-Identifier: MIT
#include "expiry.h"

#include <sys/resource.h>

#include <cstdio>
#include <cstring>

#include "workloads/lib/clock.h"

namespace mosrig::guest {

namespace {

// Clocks of the calling thread that the C library has no names for. Those of the whole process show
// what the timers go by, and not what the kernel has forgotten to tell them.
constexpr clockid_t of_caller = -8;
constexpr clockid_t of_thread = 4;
constexpr clockid_t ticks_of_both_modes = of_caller | of_thread | 0;
constexpr clockid_t ticks_of_user_mode = of_caller | of_thread | 1;

int64_t nanoseconds(const struct timeval& time) {
    return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

}  // namespace

void compute(int steps) {
    volatile uint64_t value = 1;
    for (int step = 0; step < steps; ++step) {
        value = value * 6364136223846793005ULL + 1;
    }
}

Expiry* Expiry::current_ = nullptr;

int64_t Expiry::cpu_time() {
    struct rusage usage = {};
    (void)getrusage(RUSAGE_SELF, &usage);
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

int64_t Expiry::ticked_time() {
    return now_ns(ticks_of_both_modes);
}

int64_t Expiry::ticked_user_time() {
    return now_ns(ticks_of_user_mode);
}

void Expiry::take(int /*signal*/, siginfo_t* info, void* /*context*/) {
    if (current_->fired_ == 0) {
        current_->fired_at_ = current_->clock();
        current_->info_ = *info;
    }
    current_->fired_ = current_->fired_ + 1;
}

const char* Expiry::hold() {
    current_ = this;
    struct sigaction action = {};
    action.sa_sigaction = take;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    return sigaction(signal_, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
}

const char* Expiry::judge(const siginfo_t& info) {
    return info.si_signo != signal_ ? differs("si_signo", info.si_signo, signal_) : nullptr;
}

const char* Expiry::await() {
    constexpr int64_t give_up = 60 * second;
    if (fired_ != 0) {
        return "it was there before anybody waited for it";
    }
    const int64_t begin = now_ns();
    // From calls home would learn what it has used, whatever becomes of the body's own word.
    constexpr int turns_without_call = 2000;
    constexpr int some_ms_of_steps = 200000;
    while (fired_ == 0 && now_ns() - begin < give_up) {
        for (int turn = 0; turn < turns_without_call && fired_ == 0; ++turn) {
            compute(some_ms_of_steps);
        }
    }
    disarm();
    if (fired_ == 0) {
        return "the signal never came";
    }
    if (fired_ != 1) {
        return differs("signals", fired_, 1);
    }
    const int64_t late = fired_at_ - start_ - span_;
    if (late < -haste) {
        return differs("early, ms that had gone by", (fired_at_ - start_) / 1000000,
                       span_ / 1000000);
    }
    if (late > patience()) {
        return differs("late, ms that had gone by", (fired_at_ - start_) / 1000000,
                       span_ / 1000000);
    }
    return judge(info_);
}

bool Expiry::command(const char* word) {
    if (strcmp(word, "ARM") == 0) {
        fired_ = 0;
        start_ = clock();
        span_ = arm();
        answer(span_ > 0 ? nullptr : failed("the timer cannot be armed"));
        return true;
    }
    if (strcmp(word, "AWAIT") == 0) {
        answer(await());
        return true;
    }
    return Holder::command(word);
}

}  // namespace mosrig::guest
