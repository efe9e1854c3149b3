// SPDX-License-Identifier: MIT
//
// Stopped for some seconds while it computes and makes no call: it uses no CPU time until it is let
// go on, and hears of that once.
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <ctime>

#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ns;
using mosrig::guest::state_of;

class StoppedBusy final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { continued_ = continued_ + 1; };
        action.sa_flags = SA_RESTART;
        return sigaction(SIGCONT, &action, nullptr) != 0 ? failed("sigaction")
                                                         : helper_.start(stop, stop, nullptr);
    }

  protected:
    const char* act() override {
        continued_ = 0;
        const int64_t begin = now_ns();
        const int64_t used = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        if (const char* wrong = helper_.act(continued_); wrong != nullptr) {
            return wrong;
        }
        const int64_t more = now_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
        const int64_t passed = now_ns() - begin;
        if (continued_ != 1) {
            return differs("signals to go on", continued_, 1);
        }
        if (passed < stop_s * second) {
            return differs("ms that went by", passed / 1000000, stop_s * 1000);
        }
        // It computes for some tenths of a second before it is stopped, and for an instant after.
        return more > stop_s * second / 2 ? differs("ms of CPU time over a stop", more / 1000000, 0)
                                          : nullptr;
    }

  private:
    static constexpr int64_t second = 1000000000;
    static constexpr int64_t stop_s = 3;

    // The child's part. Whatever is wrong, the parent goes on.
    static const char* stop(void* /*data*/) {
        const pid_t parent = getppid();
        const char* wrong = mosrig::guest::await_computing(parent);
        if (kill(parent, SIGSTOP) != 0 || !mosrig::guest::await_state(parent, 'T')) {
            wrong = "it does not stop";
        }
        const struct timespec while_stopped = {stop_s, 0};
        (void)nanosleep(&while_stopped, nullptr);
        if (state_of(parent) != 'T') {
            wrong = "it goes on by itself";
        }
        return kill(parent, SIGCONT) != 0 ? failed("SIGCONT") : wrong;
    }

    static inline volatile sig_atomic_t continued_;
    mosrig::guest::Helper helper_;
};

const mosrig::guest::KindOf<StoppedBusy> stopped_busy("stopped-busy");

}  // namespace
