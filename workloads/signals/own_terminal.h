// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "workloads/lib/deed.h"

namespace mosrig::guest {

// Both ends of a new terminal, the slave opened with those flags, too; nullptr or what failed.
inline const char* open_terminal(int& master, int& slave, int flags) {
    char name[64];
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
        ptsname_r(master, name, sizeof name) != 0) {
        return "this node has no pseudo-terminals";
    }
    slave = open(name, O_RDWR | O_CLOEXEC | flags);
    return slave < 0 ? failed("a terminal") : nullptr;
}

// A session of its own with a new terminal, of which the process has both ends.
class OfTerminal : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        // The rig's programs lead a session already.
        if (getsid(0) != getpid() && setsid() < 0) {
            return failed("setsid");
        }
        // The first one that the leader of a session opens becomes its own.
        if (const char* wrong = open_terminal(master_, slave_, 0); wrong != nullptr) {
            return wrong;
        }
        return tcgetsid(slave_) != getpid() ? failed("a terminal of its own") : nullptr;
    }

  protected:
    [[nodiscard]] int master() const { return master_; }
    [[nodiscard]] int slave() const { return slave_; }

    const char* close_master() { return close(master_) != 0 ? failed("close") : nullptr; }
    const char* close_slave() { return close(slave_) != 0 ? failed("close") : nullptr; }

    static const char* handle(int signal) {
        struct sigaction action = {};
        // Without SA_RESTART: the call that brought it about would only do so again.
        action.sa_sigaction = [](int /*signal*/, siginfo_t* info, void* /*context*/) {
            seen_ = *info;
            count_ = count_ + 1;
        };
        action.sa_flags = SA_SIGINFO;
        return sigaction(signal, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
    }

    static void expect_signals() { count_ = 0; }

    // Exactly one has come, from the kernel.
    static const char* came(int signal) {
        if (count_ != 1) {
            return differs("signals of the terminal", count_, 1);
        }
        if (seen_.si_signo != signal) {
            return differs("the signal of the terminal", seen_.si_signo, signal);
        }
        return seen_.si_code != SI_KERNEL
                   ? differs("si_code of a signal of the terminal", seen_.si_code, SI_KERNEL)
                   : nullptr;
    }

    static const char* none_came() {
        return count_ != 0 ? differs("signals of the terminal", count_, 0) : nullptr;
    }

  private:
    static inline volatile sig_atomic_t count_;
    static inline siginfo_t seen_;
    int master_ = -1;
    int slave_ = -1;
};

}  // namespace mosrig::guest
