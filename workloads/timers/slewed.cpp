// SPDX-License-Identifier: MIT
//
// Home's clock runs slow for a while, as root may make it: who is away reads no time that has not
// come at home.
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ns;

// Microseconds of home's clock in a hundredth of a second: the fewest that may be set.
constexpr long slow = 9000;
constexpr long plain = 10000;

class Slewed final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override { return helper_.start(slow_down, speed_up, nullptr); }

  protected:
    const char* act() override {
        const char* wrong = helper_.act();
        wrong = wrong != nullptr ? wrong : follow_home();
        const char* const undone = helper_.undo();
        return wrong != nullptr ? wrong : undone;
    }

  private:
    static const char* set_tick(long tick) {
        struct timex wish = {};
        wish.modes = ADJ_TICK;
        wish.tick = tick;
        return adjtimex(&wish) < 0 ? failed("adjtimex") : nullptr;
    }
    static const char* slow_down(void* /*data*/) { return set_tick(slow); }
    static const char* speed_up(void* /*data*/) { return set_tick(plain); }

    // Nobody suspends a node: the two clocks are one, which is asked of home for the second only.
    static const char* follow_home() {
        constexpr int64_t enough = 1000000000;
        const int64_t begin = now_ns(CLOCK_BOOTTIME);
        int64_t home = begin;
        while (home - begin < enough) {
            const int64_t here = now_ns(CLOCK_MONOTONIC);
            home = now_ns(CLOCK_BOOTTIME);
            if (here > home) {
                return differs("ns that the clock is ahead of home's", here - home, 0);
            }
        }
        return nullptr;
    }

    mosrig::guest::Helper helper_;
};

const mosrig::guest::KindOf<Slewed> slewed("slewed");

}  // namespace
