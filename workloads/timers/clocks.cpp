// SPDX-License-Identifier: MIT
//
// Clocks, by every call that reads one: none steps back over a move, none stands apart from the
// others, and a sleep lasts as long as it should.
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::now_ns;

constexpr int64_t second = 1000000000;

class Clocks final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return look(); }

  protected:
    const char* step() override {
        for (int turn = 0; turn < 20; ++turn) {
            if (const char* wrong = look(); wrong != nullptr) {
                return wrong;
            }
        }
        return sleep_a_little();
    }

  private:
    const char* look() {
        constexpr clockid_t clocks[count] = {
            CLOCK_MONOTONIC,         CLOCK_REALTIME,         CLOCK_BOOTTIME,
            CLOCK_MONOTONIC_RAW,     CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID,
            CLOCK_THREAD_CPUTIME_ID, CLOCK_REALTIME_COARSE,  CLOCK_TAI};
        for (int which = 0; which < count; ++which) {
            const int64_t now = now_ns(clocks[which]);
            if (now < last_[which]) {
                return differs("ns that a clock stepped back", last_[which] - now, which);
            }
            last_[which] = now;
        }
        return together();
    }

    // gettimeofday, time and the clock of real time tell the same.
    const char* together() {
        const int64_t before = now_ns(CLOCK_REALTIME);
        struct timeval day = {};
        (void)gettimeofday(&day, nullptr);
        const time_t seconds = time(nullptr);
        const int64_t after = now_ns(CLOCK_REALTIME);
        const int64_t now = day.tv_sec * second + day.tv_usec * 1000LL;
        if (now < before - 1000 || now > after) {
            return differs("ns by gettimeofday", now, before);
        }
        // It knows only ticks, so it may be one behind.
        if (seconds < before / second - 1 || seconds > after / second) {
            return differs("time()", seconds, before / second);
        }
        struct tms used = {};
        const clock_t ticks = times(&used);
        if (ticks < ticks_) {
            return differs("ticks by times()", ticks, ticks_);
        }
        ticks_ = ticks;
        return nullptr;
    }

    static const char* sleep_a_little() {
        constexpr int64_t wanted = 5000000;
        const struct timespec little = {0, wanted};
        const int64_t begin = now_ns();
        if (clock_nanosleep(CLOCK_MONOTONIC, 0, &little, nullptr) != 0) {
            return "clock_nanosleep";
        }
        const int64_t until = now_ns() + wanted;
        const struct timespec end = {until / second, until % second};
        if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) != 0) {
            return "clock_nanosleep until";
        }
        const int64_t passed = now_ns() - begin;
        return passed < 2 * wanted ? differs("ns slept", passed, 2 * wanted) : nullptr;
    }

    static constexpr int count = 9;
    int64_t last_[count] = {};
    clock_t ticks_ = 0;
};

const mosrig::guest::KindOf<Clocks> clocks("clocks");

}  // namespace
