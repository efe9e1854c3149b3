// SPDX-License-Identifier: MIT
//
// A terminal that is a device and not a pair of ends: the serial line of the node's console. Its
// settings and the wires of its modem are as this process sets them, and its queue drains.
#include <fcntl.h>
#include <linux/serial.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

class SerialLine final : public Holder {
  public:
    using Holder::Holder;

    const char* lacks() override {
        return access("/dev/ttyS0", F_OK) != 0 ? "this node has no serial line" : nullptr;
    }

    const char* hold() override {
        line_ = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        return line_ < 0 ? failed("open of the serial line") : nullptr;
    }

  protected:
    const char* step() override {
        ++turn_;
        if (const char* const wrong = play_with_settings(); wrong != nullptr) {
            return wrong;
        }
        return play_with_wires();
    }

    // Whoever reads the console sees this.
    const char* check() override {
        constexpr const char* said = "mosrig: a line to the serial line\r\n";
        const auto length = static_cast<ssize_t>(strlen(said));
        const int before = sent();
        if (write(line_, said, strlen(said)) != length || tcdrain(line_) != 0) {
            return failed("a line to the serial line");
        }
        int waiting = -1;
        if (ioctl(line_, TIOCOUTQ, &waiting) != 0) {
            return failed("TIOCOUTQ");
        }
        if (waiting != 0) {
            return differs("bytes that wait once all are drained", waiting, 0);
        }
        // A getty may have said something, too.
        const int more = sent() - before;
        return before < 0 || more < length ? differs("bytes that the line has sent", more, length)
                                           : nullptr;
    }

  private:
    // How many bytes so far; -1 if that cannot be told.
    [[nodiscard]] int sent() const {
        struct serial_icounter_struct counters = {};
        return ioctl(line_, TIOCGICOUNT, &counters) == 0 ? counters.tx : -1;
    }

    // A character that nobody types.
    const char* play_with_settings() const {
        struct termios settings = {};
        if (tcgetattr(line_, &settings) != 0) {
            return failed("tcgetattr");
        }
        const auto wanted = static_cast<cc_t>(0x80 + turn_ % 0x40);
        settings.c_cc[VEOL2] = wanted;
        if (tcsetattr(line_, TCSANOW, &settings) != 0 || tcgetattr(line_, &settings) != 0) {
            return failed("tcsetattr");
        }
        return settings.c_cc[VEOL2] != wanted ? differs("a setting", settings.c_cc[VEOL2], wanted)
                                              : nullptr;
    }

    // Nobody is at the other end who minds.
    const char* play_with_wires() const {
        int wires = 0;
        if (ioctl(line_, TIOCMGET, &wires) != 0) {
            return failed("TIOCMGET");
        }
        const int wanted = (wires & TIOCM_DTR) | (turn_ % 2 != 0 ? TIOCM_RTS : 0);
        const char* const wrong = set_wires(TIOCMSET, wanted, wanted);
        // One of them alone, the other way round.
        const unsigned long request = (wanted & TIOCM_RTS) != 0 ? TIOCMBIC : TIOCMBIS;
        return wrong != nullptr ? wrong : set_wires(request, TIOCM_RTS, wanted ^ TIOCM_RTS);
    }

    [[nodiscard]] const char* set_wires(unsigned long request, int wires, int wanted) const {
        int seen = 0;
        if (ioctl(line_, request, &wires) != 0 || ioctl(line_, TIOCMGET, &seen) != 0) {
            return failed("TIOCMSET, TIOCMBIS or TIOCMBIC");
        }
        seen &= TIOCM_DTR | TIOCM_RTS;
        return seen != wanted ? differs("the wires of the modem", seen, wanted) : nullptr;
    }

    int line_ = -1;
    unsigned turn_ = 0;
};

const KindOf<SerialLine> serial_line("serial-line");

}  // namespace
