// SPDX-License-Identifier: MIT
//
// Stopped in a call that a handler ends, and fetched home while it is stopped: what becomes of the
// call is decided when it goes on. The handler of SIGCONT runs, and the call says so.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::write_text;

class StoppedFetched final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;
    ~StoppedFetched() override {
        if (child_ > 0) {
            (void)kill(child_, SIGKILL);
            (void)waitpid(child_, nullptr, 0);
        }
    }

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { continued_ = continued_ + 1; };
        if (sigaction(SIGCONT, &action, nullptr) != 0 || sigemptyset(&blocked_) != 0 ||
            sigaddset(&blocked_, SIGUSR1) != 0 ||
            sigprocmask(SIG_SETMASK, &blocked_, nullptr) != 0) {
            return failed("sigaction");
        }
        if (pipe2(order_, O_CLOEXEC) != 0 || pipe2(said_, O_CLOEXEC) != 0 ||
            pipe2(empty_, O_CLOEXEC) != 0) {
            return failed("pipe");
        }
        child_ = fork();
        if (child_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            fetch();
        }
        return child_ < 0 ? failed("fork") : nullptr;
    }

  protected:
    // One of the calls in each turn.
    const char* act() override {
        const Way& way = ways[turn_++ % (sizeof ways / sizeof ways[0])];
        continued_ = 0;
        if (!mosrig::guest::write_all(order_[1], &way.place, sizeof way.place)) {
            return failed("order");
        }
        const int result = way.call(*this);
        const int error = errno;
        char verdict[160];
        if (!mosrig::guest::read_all(said_[0], verdict, sizeof verdict)) {
            return failed("what the other says");
        }
        if (verdict[0] != '\0') {
            return mosrig::guest::reads("the other", verdict);
        }
        if (result != -1 || error != EINTR) {
            return differs(way.place, error, EINTR);
        }
        sigset_t now;
        if (sigprocmask(SIG_BLOCK, nullptr, &now) != 0) {
            return failed("sigprocmask");
        }
        for (int signal = 1; signal <= SIGRTMAX; ++signal) {
            if (sigismember(&now, signal) != sigismember(&blocked_, signal)) {
                return differs("a signal that is blocked, or not", signal, 0);
            }
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

    // The child's part, in the place of an administrator.
    [[noreturn]] void fetch() const {
        const char* place = nullptr;
        while (mosrig::guest::read_all(order_[0], &place, sizeof place)) {
            const char* wrong = fetch_once(place);
            if (kill(getppid(), SIGCONT) != 0) {
                wrong = failed("SIGCONT");
            }
            char verdict[160] = {};
            (void)snprintf(verdict, sizeof verdict, "%s", wrong != nullptr ? wrong : "");
            if (!mosrig::guest::write_all(said_[1], verdict, sizeof verdict)) {
                _exit(1);
            }
        }
        _exit(0);
    }
    static const char* fetch_once(const char* place) {
        const pid_t parent = getppid();
        if (const char* wrong = mosrig::guest::await_within(parent, place); wrong != nullptr) {
            return wrong;
        }
        if (kill(parent, SIGSTOP) != 0 || !mosrig::guest::await_state(parent, 'T')) {
            return failed("a stopped process");
        }
        const bool brought = write_text("/proc/hpc/admin/bring", "1");
        const int where = mosrig::guest::place_of(parent);
        if (!write_text("/proc/hpc/admin/lstay", "0") || !brought) {
            return failed("bring");
        }
        return where != 0 ? differs("where it is once it was fetched", where, 0) : nullptr;
    }

    static inline volatile sig_atomic_t continued_;
    sigset_t blocked_ = {};
    int order_[2] = {-1, -1};
    int said_[2] = {-1, -1};
    int empty_[2] = {-1, -1};
    pid_t child_ = -1;
    size_t turn_ = 0;
};

const mosrig::guest::KindOf<StoppedFetched> stopped_fetched("stopped-fetched");

}  // namespace
