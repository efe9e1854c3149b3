// SPDX-License-Identifier: MIT
//
// Every command of a terminal, of which the process has both ends: the settings as the kernel has
// them, which are shorter than what the C library makes of them, and what becomes of lines.
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/tty.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "rows_commands.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::comes;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::set;
using mosrig::guest::tells;
using mosrig::guest::tells_nothing;
using mosrig::guest::Verdict;

class Terminal final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    // Without echo, so that nothing is written but by the calls themselves.
    const char* hold() override {
        char name[64];
        // The rig's programs lead a session already.
        if (getsid(0) != getpid() && setsid() < 0) {
            return failed("setsid");
        }
        // A session that gives its terminal up is told that it hangs up.
        (void)signal(SIGHUP, SIG_IGN);
        master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0 ||
            ptsname_r(master_, name, sizeof name) != 0) {
            return "this node has no pseudo-terminals";
        }
        number_ = static_cast<unsigned>(strtoul(name + strlen("/dev/pts/"), nullptr, 10));
        slave_ = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        if (slave_ < 0 || ioctl(slave_, TCGETS, &settings_) != 0 || pipe2(pipe_, O_CLOEXEC) != 0) {
            return failed("a terminal");
        }
        settings_.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        return ioctl(slave_, TCSETS, &settings_) != 0 || ioctl(slave_, TCGETS2, &settings_2_) != 0
                   ? failed("the settings of a terminal")
                   : nullptr;
    }

  protected:
    // Nothing is left at either end for the next one.
    const char* act() override {
        static constexpr Row<Terminal> rows[] = {
            {"TCGETS", &Terminal::settings},
            {"TCSETS", &Terminal::set_settings},
            {"TCSETS2", &Terminal::set_speed},
            {"TIOCSWINSZ", &Terminal::window},
            {"TIOCSCTTY", &Terminal::session},
            {"TIOCGPTN", &Terminal::number},
            {"TIOCSPTLCK", &Terminal::lock},
            {"TIOCEXCL", &Terminal::exclude},
            {"TIOCPKT", &Terminal::packets},
            {"TIOCSTI", &Terminal::pretend},
            {"TCFLSH", &Terminal::flush},
            {"TCXONC", &Terminal::hold_up},
            {"TIOCSETD", &Terminal::discipline},
            {"TCSBRK", &Terminal::breaks},
            {"TIOCMGET", &Terminal::modem_lines},
            {"TCSETA", &Terminal::set_old_settings},
            {"TIOCSIG", &Terminal::signal_the_front},
        };
        ++turn_;
        return judge(*this, rows);
    }

  private:
    static constexpr int nobody = 0x3fffffff;
    static constexpr long peer_flags = O_RDWR | O_NOCTTY | O_CLOEXEC;

    // Somebody at the terminal types a line.
    void type(Verdict& verdict, const char* line_of_text, int line = __builtin_LINE()) const {
        const auto size = static_cast<long>(strlen(line_of_text));
        verdict.gives(call(SYS_write, master_, line_of_text, size), size, line);
        verdict.sees(comes(slave_), line);
    }
    // This has arrived at an end, and nothing else.
    static void reads(Verdict& verdict, int end, const char* text, int line = __builtin_LINE()) {
        const size_t size = strlen(text);
        char bytes[64] = {};
        size_t have = 0;
        while (have < size && comes(end)) {
            const long count = call(SYS_read, end, bytes + have, sizeof bytes - have);
            if (count <= 0) {
                break;
            }
            have += static_cast<size_t>(count);
        }
        verdict.is(static_cast<long long>(have), static_cast<long long>(size), line);
        verdict.sees(memcmp(bytes, text, size) == 0, line);
    }

    void settings(Verdict& verdict) {
        const Output old(sizeof settings_);
        const Output both(sizeof settings_2_);
        verdict.gives(call(SYS_ioctl, slave_, TCGETS, old.at()), 0);
        verdict.sees(old.holds(&settings_, sizeof settings_));
        verdict.wrote(old, sizeof settings_);
        // Either end has the settings of the same one.
        verdict.gives(call(SYS_ioctl, master_, TCGETS2, both.at()), 0);
        verdict.sees(both.holds(&settings_2_, sizeof settings_2_));
        verdict.wrote(both, sizeof settings_2_);
        tells_nothing(verdict, pipe_[0], TCGETS, ENOTTY);
        tells_nothing(verdict, pipe_[0], TCGETS2, ENOTTY);
    }
    template <class Settings>
    void change(Verdict& verdict, unsigned long request, unsigned long ask, const Settings& wanted,
                int line = __builtin_LINE()) {
        const Output now(sizeof wanted);
        set(verdict, slave_, request, wanted, line);
        verdict.gives(call(SYS_ioctl, slave_, ask, now.at()), 0, line);
        verdict.sees(now.holds(&wanted, sizeof wanted), line);
    }
    // Only one of three drops what was typed before.
    void set_settings(Verdict& verdict) {
        unsigned char end = turn_ & 1U;
        for (const unsigned long request : {TCSETS, TCSETSW, TCSETSF}) {
            struct termios wanted = settings_;
            wanted.c_iflag ^= IXANY;
            wanted.c_cc[VEOL2] = end += 2;
            type(verdict, "typed\n");
            change(verdict, request, TCGETS, wanted);
            tells(verdict, slave_, FIONREAD, request == TCSETSF ? 0 : 6);
            change(verdict, TCSETSF, TCGETS, settings_);
            tells(verdict, slave_, FIONREAD, 0);
        }
        verdict.fails(call(SYS_ioctl, pipe_[0], TCSETS, Input(settings_).at()), ENOTTY);
    }
    void set_speed(Verdict& verdict) {
        speed_t speed = 12345 + (turn_ & 1U);
        for (const unsigned long request : {TCSETS2, TCSETSW2, TCSETSF2}) {
            struct termios2 wanted = settings_2_;
            wanted.c_cflag = (wanted.c_cflag & ~static_cast<tcflag_t>(CBAUD)) | BOTHER;
            wanted.c_ospeed = wanted.c_ispeed = speed += 2;
            type(verdict, "typed\n");
            change(verdict, request, TCGETS2, wanted);
            tells(verdict, slave_, FIONREAD, request == TCSETSF2 ? 0 : 6);
            change(verdict, TCSETSF2, TCGETS2, settings_2_);
        }
        verdict.fails(call(SYS_ioctl, pipe_[0], TCSETS2, Input(settings_2_).at()), ENOTTY);
    }
    // The same in the shape that they had before.
    void set_old_settings(Verdict& verdict) {
        const Output old(sizeof(struct termio));
        verdict.gives(call(SYS_ioctl, slave_, TCGETA, old.at()), 0);
        verdict.wrote(old, sizeof(struct termio));
        const auto before = old.get<struct termio>();
        verdict.is(before.c_lflag, settings_.c_lflag & 0xFFFFU);
        for (const unsigned long request : {TCSETA, TCSETAW, TCSETAF}) {
            struct termio wanted = before;
            wanted.c_iflag ^= IXANY;
            type(verdict, "typed\n");
            change(verdict, request, TCGETA, wanted);
            tells(verdict, slave_, FIONREAD, request == TCSETAF ? 0 : 6);
            change(verdict, TCSETAF, TCGETA, before);
        }
        tells_nothing(verdict, pipe_[0], TCGETA, ENOTTY);
    }
    void window(Verdict& verdict) {
        const struct winsize wanted = {static_cast<unsigned short>(turn_), 97, 5, 7};
        const Output now(sizeof wanted);
        set(verdict, master_, TIOCSWINSZ, wanted);
        verdict.gives(call(SYS_ioctl, slave_, TIOCGWINSZ, now.at()), 0);
        verdict.sees(now.holds(&wanted, sizeof wanted));
        verdict.wrote(now, sizeof wanted);
        tells_nothing(verdict, pipe_[0], TIOCGWINSZ, ENOTTY);
    }

    // It becomes the session's own, and is given up again.
    void session(Verdict& verdict) {
        tells_nothing(verdict, slave_, TIOCGPGRP, ENOTTY);
        tells_nothing(verdict, master_, TIOCGSID, ENOTTY);
        verdict.fails(call(SYS_ioctl, slave_, TIOCSPGRP, Input(getpgrp()).at()), ENOTTY);
        verdict.fails(call(SYS_ioctl, slave_, TIOCNOTTY, 0), ENOTTY);
        verdict.gives(call(SYS_ioctl, slave_, TIOCSCTTY, 0), 0);
        tells(verdict, slave_, TIOCGPGRP, getpgrp());
        tells(verdict, master_, TIOCGPGRP, getpgrp());
        tells(verdict, slave_, TIOCGSID, getsid(0));
        set(verdict, slave_, TIOCSPGRP, getpgrp());
        verdict.fails(call(SYS_ioctl, slave_, TIOCSPGRP, Input(nobody).at()), ESRCH);
        verdict.fails(call(SYS_ioctl, slave_, TIOCSPGRP, Input(-1).at()), EINVAL);
        verdict.gives(call(SYS_ioctl, slave_, TIOCNOTTY, 0), 0);
        tells_nothing(verdict, slave_, TIOCGSID, ENOTTY);
    }

    void number(Verdict& verdict) {
        tells(verdict, master_, TIOCGPTN, number_);
        tells_nothing(verdict, slave_, TIOCGPTN, ENOTTY);
    }
    void open_peer(Verdict& verdict, int line = __builtin_LINE()) const {
        const long peer = call(SYS_ioctl, master_, TIOCGPTPEER, peer_flags);
        verdict.sees(peer >= 0, line);
        tells_nothing(verdict, static_cast<int>(peer), TIOCGPTN, ENOTTY, line);
        verdict.gives(call(SYS_close, peer), 0, line);
    }
    void lock(Verdict& verdict) {
        tells(verdict, master_, TIOCGPTLCK, 0);
        set(verdict, master_, TIOCSPTLCK, 1);
        tells(verdict, master_, TIOCGPTLCK, 1);
        verdict.fails(call(SYS_ioctl, master_, TIOCGPTPEER, peer_flags), EIO);
        set(verdict, master_, TIOCSPTLCK, 0);
        open_peer(verdict);
        verdict.fails(call(SYS_ioctl, slave_, TIOCGPTPEER, peer_flags), EIO);
    }
    // An administrator may open it all the same.
    void exclude(Verdict& verdict) {
        tells(verdict, slave_, TIOCGEXCL, 0);
        verdict.gives(call(SYS_ioctl, slave_, TIOCEXCL, 0), 0);
        tells(verdict, slave_, TIOCGEXCL, 1);
        verdict.gives(call(SYS_setresuid, -1, 77, -1), 0);
        verdict.fails(call(SYS_ioctl, master_, TIOCGPTPEER, peer_flags), EBUSY);
        verdict.gives(call(SYS_setresuid, -1, 0, -1), 0);
        open_peer(verdict);
        verdict.gives(call(SYS_ioctl, slave_, TIOCNXCL, 0), 0);
        verdict.gives(call(SYS_setresuid, -1, 77, -1), 0);
        open_peer(verdict);
        verdict.gives(call(SYS_setresuid, -1, 0, -1), 0);
        // Another user's process is not to be looked into, and it was one.
        verdict.gives(prctl(PR_SET_DUMPABLE, 1), 0);
    }

    // A packet has what it is before it.
    void packets(Verdict& verdict) {
        tells(verdict, master_, TIOCGPKT, 0);
        set(verdict, master_, TIOCPKT, 1);
        tells(verdict, master_, TIOCGPKT, 1);
        verdict.gives(call(SYS_write, slave_, "ab", 2), 2);
        verdict.sees(comes(master_));
        const Output packet(9);
        verdict.gives(call(SYS_read, master_, packet.at(), 9), 3);
        verdict.sees(packet.holds("\0ab", 3));
        verdict.wrote(packet, 3);
        set(verdict, master_, TIOCPKT, 0);
        tells(verdict, master_, TIOCGPKT, 0);
        verdict.fails(call(SYS_ioctl, slave_, TIOCPKT, Input(1).at()), ENOTTY);
    }
    // As if it had been typed.
    void pretend(Verdict& verdict) {
        for (const char typed : {'x', 'y', '\n'}) {
            set(verdict, slave_, TIOCSTI, typed);
        }
        tells(verdict, slave_, FIONREAD, 3);
        reads(verdict, slave_, "xy\n");
    }
    void flush(Verdict& verdict) {
        type(verdict, "dropped\n");
        tells(verdict, slave_, TIOCOUTQ, 0);
        verdict.fails(call(SYS_ioctl, slave_, TCFLSH, 99), EINVAL);
        verdict.gives(call(SYS_ioctl, slave_, TCFLSH, TCOFLUSH), 0);
        tells(verdict, slave_, FIONREAD, 8);
        verdict.gives(call(SYS_ioctl, slave_, TCFLSH, TCIFLUSH), 0);
        tells(verdict, slave_, FIONREAD, 0);
        type(verdict, "too\n");
        verdict.gives(call(SYS_ioctl, slave_, TCFLSH, TCIOFLUSH), 0);
        tells(verdict, slave_, FIONREAD, 0);
    }
    // What is written is held up; and the other end is asked to do so.
    void hold_up(Verdict& verdict) {
        verdict.gives(call(SYS_ioctl, slave_, TCXONC, TCOOFF), 0);
        verdict.fails(call(SYS_write, slave_, "held", 4), EAGAIN);
        verdict.gives(call(SYS_ioctl, slave_, TCXONC, TCOON), 0);
        verdict.gives(call(SYS_write, slave_, "let go", 6), 6);
        reads(verdict, master_, "let go");
        verdict.gives(call(SYS_ioctl, slave_, TCXONC, TCIOFF), 0);
        verdict.gives(call(SYS_ioctl, slave_, TCXONC, TCION), 0);
        reads(verdict, master_, "\x13\x11");
        verdict.fails(call(SYS_ioctl, slave_, TCXONC, 99), EINVAL);
    }
    // One that has none of its own, and back.
    void discipline(Verdict& verdict) {
        tells(verdict, slave_, TIOCGETD, N_TTY);
        set(verdict, slave_, TIOCSETD, N_NULL);
        tells(verdict, slave_, TIOCGETD, N_NULL);
        set(verdict, slave_, TIOCSETD, N_TTY);
        verdict.fails(call(SYS_ioctl, slave_, TIOCSETD, Input(99).at()), EINVAL);
        type(verdict, "read\n");
        reads(verdict, slave_, "read\n");
    }
    // It has no line that could be broken, and says that all is well.
    void breaks(Verdict& verdict) {
        verdict.gives(call(SYS_ioctl, slave_, TCSBRK, 0), 0);
        verdict.gives(call(SYS_ioctl, slave_, TCSBRK, 1), 0);
        verdict.gives(call(SYS_ioctl, slave_, TCSBRKP, 3), 0);
        verdict.gives(call(SYS_ioctl, slave_, TIOCSBRK, 0), 0);
        verdict.gives(call(SYS_ioctl, slave_, TIOCCBRK, 0), 0);
        verdict.fails(call(SYS_ioctl, pipe_[0], TCSBRKP, 3), ENOTTY);
    }
    // Nor does it have any of these.
    void modem_lines(Verdict& verdict) {
        tells_nothing(verdict, slave_, TIOCMGET, ENOTTY);
        for (const unsigned long request : {TIOCMSET, TIOCMBIS, TIOCMBIC}) {
            verdict.fails(call(SYS_ioctl, slave_, request, Input(TIOCM_DTR).at()), ENOTTY);
        }
        tells_nothing(verdict, slave_, TIOCGICOUNT, ENOTTY);
    }
    // Nobody is there who could get it.
    void signal_the_front(Verdict& verdict) {
        verdict.gives(call(SYS_ioctl, master_, TIOCSIG, SIGINT), 0);
        verdict.fails(call(SYS_ioctl, master_, TIOCSIG, 99), EINVAL);
        verdict.fails(call(SYS_ioctl, slave_, TIOCSIG, SIGINT), ENOTTY);
    }

    int master_ = -1;
    int slave_ = -1;
    int pipe_[2] = {-1, -1};
    unsigned number_ = 0;
    unsigned turn_ = 0;
    struct termios settings_ = {};
    struct termios2 settings_2_ = {};
};

const mosrig::guest::KindOf<Terminal> terminal("rows-terminal");

}  // namespace
