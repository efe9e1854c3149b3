// SPDX-License-Identifier: MIT
//
// Calls that hand the caller's own pages to a device: a file past the page cache, and a send
// without a copy, whose end comes by the socket's queue of errors.
#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "workloads/io/connection.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::same_bytes;

constexpr size_t size = 64UL << 10;

class Direct final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        file_ = mosrig::guest::scratch_file(O_DIRECT | O_CLOEXEC);
        // Whole pages, as such a file wants them.
        out_ = mosrig::guest::map_private(size);
        in_ = mosrig::guest::map_private(size);
        const int on = 1;
        if (file_ < 0 || out_ == nullptr || in_ == nullptr || !connection_.open() ||
            setsockopt(connection_.client, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0) {
            return failed("a direct file, two buffers, a connection");
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        ++turn_;
        const char* const wrong = past_the_cache();
        return wrong != nullptr ? wrong : without_a_copy();
    }

  private:
    const char* past_the_cache() {
        fill_bytes(out_, size, turn_);
        memset(in_, 0, size);
        if (pwrite(file_, out_, size, 0) != static_cast<ssize_t>(size)) {
            return failed("pwrite");
        }
        // Whatever is written there now must not come into the file any more.
        memset(out_, 0, size);
        if (pread(file_, in_, size, 0) != static_cast<ssize_t>(size)) {
            return failed("pread");
        }
        return same_bytes(in_, size, turn_) ? nullptr : "bytes of a direct file";
    }

    const char* without_a_copy() {
        constexpr size_t count = 16UL << 10;
        fill_bytes(out_, count, turn_ + 1000);
        if (send(connection_.client, out_, count, MSG_ZEROCOPY) != static_cast<ssize_t>(count)) {
            return failed("send");
        }
        if (!mosrig::guest::read_all(connection_.server, in_, count)) {
            return failed("what was sent");
        }
        return same_bytes(in_, count, turn_ + 1000) ? await_end() : "bytes that were sent";
    }

    // Each send has a number, and is told once.
    const char* await_end() {
        struct pollfd wait = {connection_.client, 0, 0};
        if (poll(&wait, 1, 5000) != 1 || (wait.revents & POLLERR) == 0) {
            return "no end of a send is told";
        }
        alignas(struct cmsghdr) char control[128] = {};
        struct msghdr message = {};
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        if (recvmsg(connection_.client, &message, MSG_ERRQUEUE) != 0) {
            return failed("the queue of errors");
        }
        const struct cmsghdr* const head = CMSG_FIRSTHDR(&message);
        struct sock_extended_err told = {};
        if (head == nullptr || head->cmsg_len < CMSG_LEN(sizeof told)) {
            return "what is told of a send";
        }
        memcpy(&told, CMSG_DATA(head), sizeof told);
        if (told.ee_origin != SO_EE_ORIGIN_ZEROCOPY) {
            return differs("the origin of what is told", told.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
        }
        if (told.ee_info != sends_ || told.ee_data != sends_) {
            return differs("the number of a send", told.ee_data, sends_);
        }
        ++sends_;
        return nullptr;
    }

    mosrig::guest::Connection connection_;
    int file_ = -1;
    unsigned char* out_ = nullptr;
    unsigned char* in_ = nullptr;
    uint64_t turn_ = 0;
    uint32_t sends_ = 0;
};

const mosrig::guest::KindOf<Direct> direct("direct");

}  // namespace
