// SPDX-License-Identifier: MIT
//
// A program that reads the clock all the time, interrupted by signals all the time: most of them
// find it inside the vdso.
#include <sys/time.h>

#include <csignal>
#include <cstring>

#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ms;
using mosrig::guest::now_ns;

class Interrupted final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { rings_ = rings_ + 1; };
        action.sa_flags = SA_RESTART;
        struct itimerval period = {};
        period.it_value.tv_usec = 7000;
        period.it_interval = period.it_value;
        return sigaction(SIGALRM, &action, nullptr) != 0 ||
                       setitimer(ITIMER_REAL, &period, nullptr) != 0
                   ? failed("setitimer")
                   : nullptr;
    }

    bool command(const char* word) override {
        if (strcmp(word, "AWAIT") != 0) {
            return Holder::command(word);
        }
        answer(await(300));
        return true;
    }

  protected:
    const char* step() override { return await(5); }

  private:
    // Reads the clock until the signal has come `count` times more.
    const char* await(int count) {
        constexpr long long give_up_ms = 30000;
        const int enough = rings_ + count;
        const long long begin = now_ms();
        while (rings_ < enough) {
            const int64_t now = now_ns();
            if (now < last_) {
                return differs("ns that the clock stepped back", last_ - now, 0);
            }
            last_ = now;
            if (now_ms() - begin > give_up_ms) {
                return "the signals no longer come";
            }
        }
        return nullptr;
    }

    static inline volatile sig_atomic_t rings_;
    int64_t last_ = 0;
};

const mosrig::guest::KindOf<Interrupted> interrupted("interrupted");

}  // namespace
