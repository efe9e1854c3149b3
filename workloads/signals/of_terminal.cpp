// SPDX-License-Identifier: MIT
//
// Signals of the process's own terminal: it hangs up, or is read or changed from the background.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "workloads/lib/kinds.h"
#include "workloads/signals/own_terminal.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::OfTerminal;

// Whoever has the other end closes it. HOLD gives a new terminal.
class HungUp final : public OfTerminal {
  public:
    using OfTerminal::OfTerminal;

    const char* hold() override {
        const char* const wrong = handle(SIGHUP);
        return wrong != nullptr ? wrong : OfTerminal::hold();
    }

  protected:
    const char* act() override {
        char letter = 0;
        expect_signals();
        const char* wrong = close_master();
        wrong = wrong != nullptr ? wrong : came(SIGHUP);
        if (wrong != nullptr) {
            return wrong;
        }
        if (read(slave(), &letter, 1) != 0) {
            return failed("a read from a terminal that hung up");
        }
        if (write(slave(), "x", 1) != -1 || errno != EIO) {
            return failed("a write to a terminal that hung up");
        }
        return close_slave();
    }
};

// A child has the terminal, and the process is in the background.
class Background final : public OfTerminal {
  public:
    using OfTerminal::OfTerminal;
    ~Background() override {
        if (child_ > 0) {
            (void)kill(child_, SIGKILL);
            (void)waitpid(child_, nullptr, 0);
        }
    }

    const char* hold() override {
        if (const char* wrong = OfTerminal::hold(); wrong != nullptr) {
            return wrong;
        }
        int ready[2];
        char letter = 0;
        if (pipe2(ready, O_CLOEXEC) != 0) {
            return failed("pipe");
        }
        child_ = fork();
        if (child_ == 0) {
            be_in_front(ready[1]);
        }
        const bool came = close(ready[1]) == 0 && child_ > 0 && read(ready[0], &letter, 1) == 1;
        (void)close(ready[0]);
        return came && tcsetpgrp(slave(), child_) == 0 ? nullptr : failed("a child in front");
    }

  protected:
    const char* act() override {
        const char* wrong = reading();
        wrong = wrong != nullptr ? wrong : changing();
        return wrong != nullptr ? wrong : writing();
    }

  private:
    const char* reading() {
        char letter = 0;
        if (const char* wrong = handle(SIGTTIN); wrong != nullptr) {
            return wrong;
        }
        expect_signals();
        if (read(slave(), &letter, 1) != -1 || errno != EINTR) {
            return failed("a read from the background");
        }
        if (const char* wrong = came(SIGTTIN); wrong != nullptr) {
            return wrong;
        }
        expect_signals();
        if (signal(SIGTTIN, SIG_IGN) == SIG_ERR || read(slave(), &letter, 1) != -1 ||
            errno != EIO) {
            return failed("a read from the background, SIGTTIN being ignored");
        }
        return none_came();
    }

    // Who ignores the signal may change the terminal, and has it stop those who write.
    const char* changing() {
        struct termios settings = {};
        if (const char* wrong = handle(SIGTTOU); wrong != nullptr) {
            return wrong;
        }
        expect_signals();
        if (tcgetattr(slave(), &settings) != 0) {
            return failed("tcgetattr");
        }
        settings.c_lflag |= TOSTOP;
        if (tcsetattr(slave(), TCSANOW, &settings) != -1 || errno != EINTR) {
            return failed("a change from the background");
        }
        if (const char* wrong = came(SIGTTOU); wrong != nullptr) {
            return wrong;
        }
        expect_signals();
        if (signal(SIGTTOU, SIG_IGN) == SIG_ERR || tcsetattr(slave(), TCSANOW, &settings) != 0) {
            return failed("a change from the background, SIGTTOU being ignored");
        }
        return none_came();
    }

    const char* writing() {
        if (const char* wrong = handle(SIGTTOU); wrong != nullptr) {
            return wrong;
        }
        expect_signals();
        return write(slave(), "x", 1) != -1 || errno != EINTR
                   ? failed("a write from the background")
                   : came(SIGTTOU);
    }

    // The child's part. Of a group none of whose members has a parent elsewhere in the session,
    // nobody would let it go on: it has no such signals. So a child of this one stays in it.
    [[noreturn]] static void be_in_front(int ready) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        // The line to the rig is the parent's alone.
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        (void)signal(SIGTTIN, SIG_IGN);
        (void)signal(SIGTTOU, SIG_IGN);
        const pid_t child = fork();
        if (child == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        } else if (child < 0 || setpgid(0, 0) != 0 || write(ready, "r", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            (void)pause();
        }
    }

    pid_t child_ = -1;
};

const KindOf<HungUp> hung_up("hung-up");
const KindOf<Background> background("background");

}  // namespace
