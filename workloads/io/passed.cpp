// SPDX-License-Identifier: MIT
//
// Descriptors that travel through a unix socket, to this process and from it. Each spends a turn on
// its way and is used for some turns afterwards, so that some are sent or received away and used at
// home, and the other way round.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

constexpr unsigned kept = 8;

// A message of one letter with some descriptors, or with room for them.
class Parcel {
  public:
    static constexpr size_t most = 2;

    Parcel() {
        message_.msg_iov = &part_;
        message_.msg_iovlen = 1;
        message_.msg_control = control_;
        message_.msg_controllen = sizeof control_;
    }
    Parcel(const Parcel&) = delete;
    Parcel& operator=(const Parcel&) = delete;

    // Both give nullptr or what failed.
    const char* send(int socket, const int (&fds)[most]) {
        struct cmsghdr* const head = CMSG_FIRSTHDR(&message_);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof fds);
        memcpy(CMSG_DATA(head), fds, sizeof fds);
        return sendmsg(socket, &message_, 0) != 1 ? failed("sendmsg") : nullptr;
    }
    const char* receive(int socket, int (&fds)[most]) {
        letter_ = 0;
        if (recvmsg(socket, &message_, MSG_CMSG_CLOEXEC) != 1) {
            return failed("recvmsg");
        }
        const struct cmsghdr* const head = CMSG_FIRSTHDR(&message_);
        if (head == nullptr || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
            head->cmsg_len != CMSG_LEN(sizeof fds) || (message_.msg_flags & MSG_CTRUNC) != 0) {
            return "the descriptors did not come with the message";
        }
        memcpy(fds, CMSG_DATA(head), sizeof fds);
        return letter_ != 'x' ? differs("the letter of the message", letter_, 'x') : nullptr;
    }

  private:
    char letter_ = 'x';
    alignas(struct cmsghdr) char control_[CMSG_SPACE(most * sizeof(int))] = {};
    struct iovec part_ = {&letter_, 1};
    struct msghdr message_ = {};
};

// The two ends of a pipe that came in one message.
struct Ends {
    int fd[Parcel::most] = {-1, -1};

    [[nodiscard]] bool open() const { return fd[0] >= 0; }
    const char* pass(unsigned char letter) const {
        unsigned char got = 0;
        if (write(fd[1], &letter, 1) != 1 || read(fd[0], &got, 1) != 1) {
            return failed("a letter through descriptors that were passed");
        }
        return got != letter ? differs("the letter", got, letter) : nullptr;
    }
    // Closes them; if they are the last ones, the pipe has an end.
    const char* drop(bool last) {
        const bool closed = close(fd[1]) == 0;
        unsigned char got = 0;
        const bool ended =
            !last || (fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0 && read(fd[0], &got, 1) == 0);
        const char* const wrong = closed && ended ? nullptr : failed("the end of a pipe");
        (void)close(fd[0]);
        fd[0] = fd[1] = -1;
        return wrong;
    }
};

// The last few that came. The oldest makes room for the next one; whoever sent it has kept none.
class Kept {
  public:
    const char* take(int socket) {
        Ends& place = ends_[turn_ % kept];
        if (const char* wrong = place.open() ? place.drop(true) : nullptr; wrong != nullptr) {
            return wrong;
        }
        ++turn_;
        return Parcel().receive(socket, place.fd);
    }
    const char* use() {
        for (const Ends& ends : ends_) {
            const char* wrong =
                ends.open() ? ends.pass(static_cast<unsigned char>(turn_)) : nullptr;
            if (wrong != nullptr) {
                return wrong;
            }
        }
        return nullptr;
    }

  private:
    Ends ends_[kept];
    unsigned turn_ = 0;
};

// Another process sends them.
class Received final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets_) != 0) {
            return failed("socketpair");
        }
        const char* const wrong = helper_.start(send, send, this);
        return wrong != nullptr ? wrong : helper_.act();
    }

  protected:
    const char* step() override {
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = kept_.take(sockets_[0]); wrong != nullptr) {
            return wrong;
        }
        return kept_.use();
    }

  private:
    // The helper's part: a pipe of which it keeps nothing.
    static const char* send(void* data) {
        const auto& self = *static_cast<Received*>(data);
        int ends[Parcel::most];
        if (pipe(ends) != 0) {
            return failed("pipe");
        }
        const char* const wrong = Parcel().send(self.sockets_[1], ends);
        (void)close(ends[0]);
        (void)close(ends[1]);
        return wrong;
    }

    mosrig::guest::Helper helper_;
    Kept kept_;
    int sockets_[2] = {};
};

// This process sends them.
class Sent final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets_) != 0) {
            return failed("socketpair");
        }
        const char* const wrong = helper_.start(use, use, this);
        return wrong != nullptr ? wrong : send();
    }

  protected:
    const char* step() override {
        if (const char* wrong = send(); wrong != nullptr) {
            return wrong;
        }
        return helper_.act();
    }

  private:
    const char* send() const {
        Ends ends;
        if (pipe(ends.fd) != 0) {
            return failed("pipe");
        }
        const char* const wrong = Parcel().send(sockets_[0], ends.fd);
        const char* const unclosed = ends.drop(false);
        return wrong != nullptr ? wrong : unclosed;
    }

    // The helper's part; `kept_` is of use to it alone.
    static const char* use(void* data) {
        auto& self = *static_cast<Sent*>(data);
        if (const char* wrong = self.kept_.take(self.sockets_[1]); wrong != nullptr) {
            return wrong;
        }
        return self.kept_.use();
    }

    mosrig::guest::Helper helper_;
    Kept kept_;
    int sockets_[2] = {};
};

const KindOf<Received> received("scm-rights");
const KindOf<Sent> sent("scm-rights-sent");

}  // namespace
