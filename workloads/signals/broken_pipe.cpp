// SPDX-License-Identifier: MIT
//
// A write that nobody can read: the call says so, and the process has one signal for it before the
// call is over, unless it asked for none.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

class BrokenPipe final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        int ends[2];
        int pair[2];
        if (pipe2(ends, O_CLOEXEC) != 0 ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 || close(ends[0]) != 0 ||
            close(pair[0]) != 0) {
            return failed("pipe, socketpair");
        }
        pipe_ = ends[1];
        socket_ = pair[1];
        return handle();
    }

  protected:
    const char* act() override {
        const auto sent = [this](int flags) { return send(socket_, "x", 1, flags); };
        const char* wrong = fails("a write to a pipe", 1, [this] { return written(); });
        wrong = wrong != nullptr ? wrong : fails("a send", 1, [&] { return sent(0); });
        wrong = wrong != nullptr
                    ? wrong
                    : fails("a send without a signal", 0, [&] { return sent(MSG_NOSIGNAL); });
        wrong = wrong != nullptr ? wrong : ignored();
        return wrong != nullptr ? wrong : blocked();
    }

  private:
    [[nodiscard]] ssize_t written() const { return write(pipe_, "x", 1); }

    static const char* handle() {
        struct sigaction action = {};
        action.sa_sigaction = [](int /*signal*/, siginfo_t* info, void* /*context*/) {
            seen_ = *info;
            count_ = count_ + 1;
        };
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        return sigaction(SIGPIPE, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
    }

    // It fails, and `signals` are there as it does so: the process itself is who sent them.
    template <class Call>
    static const char* fails(const char* what, int signals, Call call) {
        count_ = 0;
        if (call() != -1 || errno != EPIPE) {
            return failed(what);
        }
        if (count_ != signals) {
            return differs(what, count_, signals);
        }
        if (signals != 0 && seen_.si_code != SI_USER) {
            return differs("si_code of SIGPIPE", seen_.si_code, SI_USER);
        }
        return signals != 0 && seen_.si_pid != getpid()
                   ? differs("sender of SIGPIPE", seen_.si_pid, getpid())
                   : nullptr;
    }

    const char* ignored() const {
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
            return failed("signal");
        }
        const char* const wrong =
            fails("a write, SIGPIPE being ignored", 0, [this] { return written(); });
        return wrong != nullptr ? wrong : handle();
    }

    // Blocked, it waits; taken by hand, it is not handled as well.
    const char* blocked() const {
        constexpr struct timespec at_once = {0, 0};
        sigset_t set;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGPIPE);
        if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) {
            return failed("sigprocmask");
        }
        const char* const wrong =
            fails("a write, SIGPIPE being blocked", 0, [this] { return written(); });
        const int taken = sigtimedwait(&set, nullptr, &at_once);
        if (sigprocmask(SIG_UNBLOCK, &set, nullptr) != 0) {
            return failed("sigprocmask");
        }
        if (wrong != nullptr || taken != SIGPIPE) {
            return wrong != nullptr ? wrong : differs("the signal that waited", taken, SIGPIPE);
        }
        return count_ != 0 ? differs("signals once one was taken", count_, 0) : nullptr;
    }

    static inline volatile sig_atomic_t count_;
    static inline siginfo_t seen_;
    int pipe_ = -1;
    int socket_ = -1;
};

const mosrig::guest::KindOf<BrokenPipe> broken_pipe("broken-pipe");

}  // namespace
