// SPDX-License-Identifier: MIT
//
// The end of a connection that waits until the other side has read everything, which it never does.
// A close does all of it inside; of a descriptor that is replaced the kernel lets go when the call
// is over, and before the program goes on. It takes as long as the socket says, and the process is
// none the worse for it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/io/connection.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ms;

class Linger final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        static unsigned char content[size];
        mosrig::guest::fill_bytes(content, size, 11);
        const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        void* const view = fd < 0 || pwrite(fd, content, size, 0) != size
                               ? MAP_FAILED
                               : mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (view == MAP_FAILED) {
            return failed("a view of a file");
        }
        // Not looked at before: home alone has what is in it.
        view_ = static_cast<unsigned char*>(view);
        return nullptr;
    }

  protected:
    const char* act() override {
        mosrig::guest::Connection connection;
        if (!connection.open() || !fill(connection.client)) {
            return failed("a connection that is full");
        }
        const struct linger wait = {1, seconds};
        if (setsockopt(connection.client, SOL_SOCKET, SO_LINGER, &wait, sizeof wait) != 0) {
            return failed("SO_LINGER");
        }
        const int64_t begin = now_ms();
        if (dup2(STDERR_FILENO, connection.client) < 0) {
            return failed("dup2 over a connection");
        }
        const int64_t passed = now_ms() - begin;
        const bool same = mosrig::guest::same_bytes(view_, size, 11);
        const int64_t later = now_ms() - begin - passed;
        (void)close(connection.server);
        (void)close(connection.client);
        if (!same) {
            return "a page that was looked at afterwards";
        }
        if (passed < wanted_ms / 2 || passed > wanted_ms * 2) {
            return differs("ms of the end of a connection", passed, wanted_ms);
        }
        return later > soon_ms ? differs("ms of a page afterwards", later, 0) : nullptr;
    }

  private:
    // More than a link between nodes may be silent, even where ticks come too fast: an emulated
    // node that was busy at its boot counts wrongly how many make a second, and sockets wait by
    // ticks.
    static constexpr int seconds = 25;
    static constexpr int64_t wanted_ms = 25000;
    static constexpr int64_t soon_ms = 5000;
    static constexpr size_t size = size_t{4} * 4096;

    // Until not a byte more fits between the two.
    static bool fill(int socket) {
        static const char block[65536] = {};
        ssize_t sent = 0;
        while (sent >= 0) {
            sent = send(socket, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        return errno == EAGAIN;
    }

    unsigned char* view_ = nullptr;
};

const mosrig::guest::KindOf<Linger> linger_kind("linger");

}  // namespace
