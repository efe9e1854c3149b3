// SPDX-License-Identifier: MIT
//
// Job control by a process that is away: a group and a session that it makes there, and the
// terminal that it gives to them. Who leads a group or a session cannot make one, so it is a child
// that talks to the rig.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/successor.h"
#include "workloads/signals/own_terminal.h"

namespace {

using mosrig::guest::Deed;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::OfTerminal;
using mosrig::guest::reads;

// What /proc/self/stat and the calls say of the process's group, session and terminal.
const char* belongs_to(pid_t group, pid_t session, int terminal) {
    char text[512] = {};
    pid_t seen_group = 0;
    pid_t seen_session = 0;
    pid_t front = 0;
    int device = 0;
    struct stat file = {};
    (void)mosrig::guest::read_text("/proc/self/stat", text, sizeof text);
    const char* const end = strrchr(text, ')');
    // NOLINTNEXTLINE(cert-err34-c)
    if (end == nullptr ||
        sscanf(end + 1, " %*c %*d %d %d %d %d", &seen_group, &seen_session, &device, &front) != 4) {
        return failed("/proc/self/stat");
    }
    if (getpgrp() != group) {
        return differs("getpgrp", getpgrp(), group);
    }
    if (getsid(0) != session) {
        return differs("getsid", getsid(0), session);
    }
    if (seen_group != group || seen_session != session) {
        return reads("/proc/self/stat", text);
    }
    if (terminal < 0) {
        return device != 0 ? differs("its terminal", device, 0) : nullptr;
    }
    if (fstat(terminal, &file) != 0) {
        return failed("fstat");
    }
    if (device != static_cast<int>(file.st_rdev)) {
        return differs("its terminal", device, static_cast<long long>(file.st_rdev));
    }
    return tcgetpgrp(terminal) != group || front != group ? differs("who is in front", front, group)
                                                          : nullptr;
}

// It makes a group of its own, takes the terminal, and hears of the keys that are pressed there.
// Then it gives all of that back.
class InFront final : public OfTerminal {
  public:
    using OfTerminal::OfTerminal;

    const char* hold() override {
        const char* wrong = OfTerminal::hold();
        wrong = wrong != nullptr ? wrong : handle(SIGINT);
        wrong = wrong != nullptr ? wrong : handle(SIGTSTP);
        if (wrong != nullptr) {
            return wrong;
        }
        sigset_t keys;
        (void)sigemptyset(&keys);
        (void)sigaddset(&keys, SIGINT);
        (void)sigaddset(&keys, SIGTSTP);
        // Whoever takes a terminal from the background ignores what it is told for that.
        return sigprocmask(SIG_BLOCK, &keys, nullptr) != 0 || signal(SIGTTOU, SIG_IGN) == SIG_ERR ||
                       !mosrig::guest::go_on_in_child()
                   ? failed("a child")
                   : nullptr;
    }

  protected:
    const char* act() override {
        const pid_t leader = getsid(0);
        if (setpgid(0, 0) != 0 || tcsetpgrp(slave(), getpid()) != 0) {
            return failed("setpgid, tcsetpgrp");
        }
        const char* wrong = belongs_to(getpid(), leader, slave());
        wrong = wrong != nullptr ? wrong : press("\x03", SIGINT);
        wrong = wrong != nullptr ? wrong : press("\x1A", SIGTSTP);
        wrong = wrong != nullptr ? wrong : read_line();
        if (tcsetpgrp(slave(), leader) != 0 || setpgid(0, leader) != 0) {
            return failed("tcsetpgrp, setpgid back");
        }
        return wrong != nullptr ? wrong : belongs_to(leader, leader, slave());
    }

  private:
    // The terminal sees to a key in its own time.
    const char* press(const char* key, int signal) {
        sigset_t all_but;
        (void)sigfillset(&all_but);
        (void)sigdelset(&all_but, signal);
        expect_signals();
        if (write(master(), key, 1) != 1) {
            return failed("write to the terminal");
        }
        (void)sigsuspend(&all_but);
        return came(signal);
    }

    const char* read_line() {
        char line[16] = {};
        const bool done =
            write(master(), "line\n", 5) == 5 && read(slave(), line, sizeof line) == 5;
        return !done || strcmp(line, "line\n") != 0 ? failed("a line of the terminal") : nullptr;
    }
};

// It leaves its session and its terminal, leads a session of its own, and takes a new terminal.
// That can be done once.
class NewSession final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        return mosrig::guest::go_on_in_child() ? nullptr : failed("a child");
    }

  protected:
    const char* act() override {
        if (const char* wrong = mosrig::guest::open_terminal(master_, slave_, O_NOCTTY);
            wrong != nullptr) {
            return wrong;
        }
        const pid_t self = getpid();
        if (setsid() != self) {
            return failed("setsid");
        }
        if (const char* wrong = belongs_to(self, self, -1); wrong != nullptr) {
            return wrong;
        }
        if (open("/dev/tty", O_RDWR | O_CLOEXEC) != -1 || errno != ENXIO) {
            return failed("/dev/tty without a terminal");
        }
        if (ioctl(slave_, TIOCSCTTY, 0) != 0 || tcgetsid(slave_) != self) {
            return failed("TIOCSCTTY");
        }
        const char* const wrong = belongs_to(self, self, slave_);
        return wrong != nullptr ? wrong : write_to_it();
    }

  private:
    [[nodiscard]] const char* write_to_it() const {
        char letter = 0;
        const int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC);
        const bool done = fd >= 0 && write(fd, "x", 1) == 1 && read(master_, &letter, 1) == 1;
        return close(fd) != 0 || !done || letter != 'x' ? failed("/dev/tty") : nullptr;
    }

    int master_ = -1;
    int slave_ = -1;
};

const KindOf<InFront> in_front("in-front");
const KindOf<NewSession> new_session("new-session");

}  // namespace
