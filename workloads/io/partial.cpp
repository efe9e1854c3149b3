// SPDX-License-Identifier: MIT
//
// Reads that wait for more than one byte, while the bytes come one by one and the process's memory
// is still on its way; and one that takes bytes away without handing them out.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

#include "workloads/io/connection.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::Connection;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

constexpr ssize_t wanted = 20;
// A read of TCP that begins late takes what is there, and is then woken only by as many bytes as
// the mark says, counted from there: twice as many see to it that the last ones come, too.
constexpr ssize_t written = 2 * wanted;

// A child writes the bytes once it is told to.
class ByteByByte : public mosrig::guest::Arrival {
  public:
    using Arrival::Arrival;
    ~ByteByByte() override {
        if (child_ > 0) {
            (void)kill(child_, SIGKILL);
            (void)waitpid(child_, nullptr, 0);
        }
    }

  protected:
    // Both ends, or what failed.
    virtual const char* open_ends(int* reading, int* writing) = 0;

    const char* prepare() override {
        if (const char* wrong = open_ends(&from_, &to_); wrong != nullptr) {
            return wrong;
        }
        if (pipe2(order_, O_CLOEXEC) != 0 || pipe2(done_, O_CLOEXEC) != 0) {
            return failed("pipe");
        }
        child_ = fork();
        if (child_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            // The line to the rig is the parent's alone.
            (void)close(STDIN_FILENO);
            (void)close(STDOUT_FILENO);
            feed();
        }
        return child_ < 0 ? failed("fork") : nullptr;
    }

    const char* act() override {
        char bytes[64] = {};
        if (write(order_[1], "x", 1) != 1) {
            return failed("order");
        }
        ssize_t got = read(from_, bytes, sizeof bytes);
        if (got < wanted) {
            return got < 0 ? failed("read") : differs("bytes of a read for twenty", got, wanted);
        }
        if (char all = 0; read(done_[0], &all, 1) != 1) {
            return failed("word that all is written");
        }
        while (got < written) {
            const ssize_t more = read(from_, bytes + got, static_cast<size_t>(written - got));
            if (more <= 0) {
                return failed("read of the rest");
            }
            got += more;
        }
        return memcmp(bytes, letters, written) != 0 ? "the bytes of a read for twenty" : nullptr;
    }

  private:
    static constexpr const char* letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";

    [[noreturn]] void feed() const {
        char letter = 0;
        while (read(order_[0], &letter, 1) == 1) {
            for (ssize_t at = 0; at < written; ++at) {
                (void)usleep(25000);
                if (write(to_, letters + at, 1) != 1) {
                    _exit(1);
                }
            }
            if (write(done_[1], "x", 1) != 1) {
                _exit(1);
            }
        }
        _exit(0);
    }

    int order_[2] = {};
    int done_[2] = {};
    int from_ = -1;
    int to_ = -1;
    pid_t child_ = -1;
};

class RawTerminal final : public ByteByByte {
  public:
    using ByteByByte::ByteByByte;

  protected:
    const char* open_ends(int* reading, int* writing) override {
        char name[64] = {};
        *writing = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (*writing < 0 || grantpt(*writing) != 0 || unlockpt(*writing) != 0 ||
            ptsname_r(*writing, name, sizeof name) != 0) {
            return "this node has no pseudo-terminals";
        }
        *reading = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct termios settings = {};
        if (*reading < 0 || tcgetattr(*reading, &settings) != 0) {
            return failed("open of the terminal");
        }
        cfmakeraw(&settings);
        settings.c_cc[VMIN] = wanted;
        settings.c_cc[VTIME] = 0;
        return tcsetattr(*reading, TCSANOW, &settings) != 0 ? failed("tcsetattr") : nullptr;
    }
};

class LowWater final : public ByteByByte {
  public:
    using ByteByByte::ByteByByte;

  protected:
    const char* open_ends(int* reading, int* writing) override {
        Connection connection;
        const int least = wanted;
        if (!connection.open() ||
            setsockopt(connection.server, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least) != 0) {
            return failed("a connection, SO_RCVLOWAT");
        }
        *reading = connection.server;
        *writing = connection.client;
        return nullptr;
    }
};

// What is dropped is counted, and the buffer is not touched.
class Dropped final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        memset(buffer_, 1, sizeof buffer_);
        return connection_.open() ? nullptr : failed("a connection");
    }

  protected:
    const char* act() override {
        char sent[size];
        memset(sent, 's', sizeof sent);
        // Written here, so that another node's copy is an old one.
        memset(buffer_, ++turn_ + 1, sizeof buffer_);
        if (send(connection_.client, sent, size, MSG_NOSIGNAL) != size) {
            return failed("send");
        }
        const ssize_t got = recv(connection_.server, buffer_, size, MSG_TRUNC | MSG_WAITALL);
        if (got != size) {
            return got < 0 ? failed("recv") : differs("bytes dropped", got, size);
        }
        for (const char byte : buffer_) {
            if (byte != turn_ + 1) {
                return differs("a byte of the buffer of a recv that drops", byte, turn_ + 1);
            }
        }
        return nullptr;
    }

  private:
    static constexpr ssize_t size = 1000;
    Connection connection_;
    char buffer_[size] = {};
    int turn_ = 0;
};

const KindOf<RawTerminal> raw_terminal("raw-terminal");
const KindOf<LowWater> low_water("low-water");
const KindOf<Dropped> dropped("dropped");

}  // namespace
