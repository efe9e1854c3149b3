// SPDX-License-Identifier: MIT
//
// Two processes with a pipe each way, with and without a name, and with a pair of sockets.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "echo.h"
#include "workloads/lib/bytes.h"

namespace {

using mosrig::guest::Echo;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

// A stream: what is read may come in pieces.
class Stream : public Echo {
  public:
    using Echo::Echo;

  protected:
    bool send_block(const unsigned char* bytes, size_t count) override {
        return mosrig::guest::write_all(out_, bytes, count);
    }
    bool receive_block(unsigned char* bytes, size_t count) override {
        return mosrig::guest::read_all(in_, bytes, count);
    }
    void use(int in, int out) {
        in_ = in;
        out_ = out;
    }

  private:
    int in_ = -1;
    int out_ = -1;
};

class Pipes final : public Stream {
  public:
    using Stream::Stream;

  protected:
    const char* prepare() override {
        return pipe(to_child_) != 0 || pipe(to_parent_) != 0 ? failed("pipe") : nullptr;
    }
    const char* open_parent() override {
        (void)close(to_child_[0]);
        (void)close(to_parent_[1]);
        use(to_parent_[0], to_child_[1]);
        return nullptr;
    }
    const char* open_child() override {
        (void)close(to_child_[1]);
        (void)close(to_parent_[0]);
        use(to_child_[0], to_parent_[1]);
        return nullptr;
    }

  private:
    int to_child_[2] = {};
    int to_parent_[2] = {};
};

class Fifos final : public Stream {
  public:
    using Stream::Stream;

  protected:
    const char* prepare() override {
        if (mkdtemp(folder_) == nullptr) {
            return "no folder can be made in /tmp";
        }
        (void)snprintf(there_, sizeof there_, "%s/there", folder_);
        (void)snprintf(back_, sizeof back_, "%s/back", folder_);
        return mkfifo(there_, 0600) != 0 || mkfifo(back_, 0600) != 0 ? failed("mkfifo") : nullptr;
    }
    // Each open waits for the other end's.
    const char* open_parent() override {
        const int out = open(there_, O_WRONLY);
        const int in = open(back_, O_RDONLY);
        use(in, out);
        (void)unlink(there_);
        (void)unlink(back_);
        (void)rmdir(folder_);
        return in < 0 || out < 0 ? failed("open of a FIFO") : nullptr;
    }
    const char* open_child() override {
        const int in = open(there_, O_RDONLY);
        const int out = open(back_, O_WRONLY);
        use(in, out);
        return in < 0 || out < 0 ? failed("open of a FIFO") : nullptr;
    }

  private:
    char folder_[32] = "/tmp/mosrig-fifo-XXXXXX";
    char there_[64] = {};
    char back_[64] = {};
};

class SocketPair final : public Stream {
  public:
    using Stream::Stream;

  protected:
    const char* prepare() override {
        return socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) != 0 ? failed("socketpair") : nullptr;
    }
    const char* open_parent() override { return take(0); }
    const char* open_child() override { return take(1); }

  private:
    const char* take(int which) {
        (void)close(ends_[1 - which]);
        use(ends_[which], ends_[which]);
        return nullptr;
    }
    int ends_[2] = {};
};

const KindOf<Pipes> pipes("pipes");
const KindOf<Fifos> fifos("fifos");
const KindOf<SocketPair> socket_pair("socketpair");

}  // namespace
