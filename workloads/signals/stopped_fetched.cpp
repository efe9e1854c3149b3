// SPDX-License-Identifier: MIT
//
// Stopped in a call that a handler ends, and fetched home while it is stopped: what becomes of the
// call is decided when it goes on. The handler of SIGCONT runs, and the call says so.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"
#include "workloads/signals/mask.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

class StoppedFetched final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { continued_ = continued_ + 1; };
        if (sigaction(SIGCONT, &action, nullptr) != 0 || sigemptyset(&blocked_) != 0 ||
            sigaddset(&blocked_, SIGUSR1) != 0 ||
            sigprocmask(SIG_SETMASK, &blocked_, nullptr) != 0) {
            return failed("sigaction");
        }
        return pipe2(empty_, O_CLOEXEC) != 0 ? failed("pipe") : helper_.start(fetch, fetch, this);
    }

  protected:
    // One of the calls in each turn.
    const char* act() override {
        const Way& way = next_way();
        continued_ = 0;
        int result = 0;
        int error = 0;
        const char* wrong = helper_.act_amid([&] {
            result = way.call(*this);
            error = errno;
        });
        if (wrong != nullptr) {
            return wrong;
        }
        if (result != -1 || error != EINTR) {
            return differs(way.place, error, EINTR);
        }
        wrong = mosrig::guest::blocks_as(blocked_);
        if (wrong != nullptr) {
            return wrong;
        }
        return continued_ != 1 ? differs("handlers of SIGCONT", continued_, 1) : nullptr;
    }

  private:
    struct Way {
        const char* place;  // part of the name of the kernel's function in which it waits
        int (*call)(const StoppedFetched& self);
    };

    static int pause_now(const StoppedFetched& /*self*/) { return pause(); }
    static int suspend(const StoppedFetched& /*self*/) {
        sigset_t meanwhile;
        (void)sigfillset(&meanwhile);
        (void)sigdelset(&meanwhile, SIGCONT);
        return sigsuspend(&meanwhile);
    }
    static int read_nothing(const StoppedFetched& self) {
        char letter = 0;
        return static_cast<int>(read(self.empty_[0], &letter, 1));
    }

    static constexpr Way ways[] = {
        {"pause", pause_now}, {"sigsuspend", suspend}, {"pipe_read", read_nothing}};

    // Both sides count their turns.
    const Way& next_way() { return ways[turn_++ % (sizeof ways / sizeof ways[0])]; }

    // The child's part. Whatever is wrong, the parent goes on.
    static const char* fetch(void* data) {
        const char* const wrong = stop_and_fetch(static_cast<StoppedFetched*>(data)->next_way());
        return kill(getppid(), SIGCONT) != 0 ? failed("SIGCONT") : wrong;
    }
    static const char* stop_and_fetch(const Way& way) {
        const pid_t parent = getppid();
        if (const char* wrong = mosrig::guest::await_within(parent, way.place); wrong != nullptr) {
            return wrong;
        }
        return kill(parent, SIGSTOP) != 0 || !mosrig::guest::await_state(parent, 'T')
                   ? failed("a stopped process")
                   : mosrig::guest::bring_home(parent);
    }

    static inline volatile sig_atomic_t continued_;
    sigset_t blocked_ = {};
    int empty_[2] = {-1, -1};
    size_t turn_ = 0;
    mosrig::guest::Helper helper_;
};

const mosrig::guest::KindOf<StoppedFetched> stopped_fetched("stopped-fetched");

}  // namespace
