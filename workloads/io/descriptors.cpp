// SPDX-License-Identifier: MIT
//
// The table of descriptors itself: many of them, copies, flags, and one that comes from another
// process through a socket.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

// Every one of 1024 descriptors above those of the rig: pipes with a byte on its way through each.
class Many final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const struct rlimit limit = {count + 64, count + 64};
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            return failed("RLIMIT_NOFILE");
        }
        for (int at = 0; at < count; at += 2) {
            const auto letter = static_cast<unsigned char>(at);
            if (pipe2(ends_ + at, O_CLOEXEC) != 0 || write(ends_[at + 1], &letter, 1) != 1) {
                return failed("pipe");
            }
        }
        return nullptr;
    }

  protected:
    // Some in each turn, in another order each time.
    const char* step() override {
        for (int look = 0; look < 32; ++look) {
            place_ = (place_ + 74) % count;
            const int pair = place_ & ~1;
            unsigned char letter = 0;
            if (read(ends_[pair], &letter, 1) != 1 || write(ends_[pair + 1], &letter, 1) != 1) {
                return failed("a byte through a pipe");
            }
            if (letter != static_cast<unsigned char>(pair)) {
                return differs("the byte of a pipe", letter, static_cast<unsigned char>(pair));
            }
        }
        return nullptr;
    }

    const char* check() override {
        for (const int fd : ends_) {
            if (fcntl(fd, F_GETFD) != FD_CLOEXEC) {
                return failed("F_GETFD");
            }
        }
        return nullptr;
    }

  private:
    static constexpr int count = 1024;
    int ends_[count] = {};
    int place_ = 0;
};

class Copies final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override { return pipe(ends_) != 0 ? failed("pipe") : nullptr; }

  protected:
    const char* step() override {
        const int copy = dup(ends_[1]);
        const int high = fcntl(ends_[1], F_DUPFD_CLOEXEC, 200);
        char letters[4] = {};
        if (copy < 0 || high < 200 || dup2(copy, 150) != 150 || dup3(copy, 151, O_CLOEXEC) != 151) {
            return failed("dup");
        }
        if (write(copy, "a", 1) + write(high, "b", 1) + write(150, "c", 1) + write(151, "d", 1) !=
                4 ||
            read(ends_[0], letters, 4) != 4 || memcmp(letters, "abcd", 4) != 0) {
            return failed("write by a copy");
        }
        if (fcntl(150, F_GETFD) != 0 || fcntl(151, F_GETFD) != FD_CLOEXEC ||
            fcntl(150, F_SETFD, FD_CLOEXEC) != 0 || fcntl(150, F_GETFD) != FD_CLOEXEC) {
            return failed("the flag of a copy");
        }
        // The other flags belong to all copies.
        if (fcntl(ends_[0], F_SETFL, O_NONBLOCK) != 0 || read(ends_[0], letters, 1) != -1 ||
            errno != EAGAIN || fcntl(ends_[0], F_SETFL, 0) != 0) {
            return failed("O_NONBLOCK");
        }
        if (syscall(SYS_close_range, 150U, 151U, 0U) != 0 || close(copy) != 0 || close(high) != 0) {
            return failed("close");
        }
        return fcntl(150, F_GETFD) != -1 || errno != EBADF ? failed("a closed one") : nullptr;
    }

  private:
    int ends_[2] = {};
};

// A descriptor that another process sends.
class Passed final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets_) != 0) {
            return failed("socketpair");
        }
        return helper_.start(send, send, this);
    }

  protected:
    const char* step() override {
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        int fd = -1;
        Parcel parcel;
        if (recvmsg(sockets_[0], &parcel.message, MSG_CMSG_CLOEXEC) != 1) {
            return failed("recvmsg");
        }
        const struct cmsghdr* head = CMSG_FIRSTHDR(&parcel.message);
        if (head == nullptr || head->cmsg_type != SCM_RIGHTS) {
            return "no descriptor came with the message";
        }
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
        char word[8] = {};
        if (read(fd, word, sizeof word) != 5 || strcmp(word, "hello") != 0 || close(fd) != 0) {
            return failed("read from the descriptor that came");
        }
        return nullptr;
    }

  private:
    // A message of one letter with room for one descriptor.
    struct Parcel {
        Parcel() {
            message.msg_iov = &part;
            message.msg_iovlen = 1;
            message.msg_control = control;
            message.msg_controllen = sizeof control;
        }
        Parcel(const Parcel&) = delete;
        Parcel& operator=(const Parcel&) = delete;

        char letter = 'x';
        alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        struct iovec part = {&letter, 1};
        struct msghdr message = {};
    };

    // The helper's part: a pipe with a word in it, whose other end it keeps for itself.
    static const char* send(void* data) {
        const auto& self = *static_cast<Passed*>(data);
        int ends[2];
        if (pipe(ends) != 0 || write(ends[1], "hello", 5) != 5) {
            return failed("pipe");
        }
        Parcel parcel;
        struct cmsghdr* head = CMSG_FIRSTHDR(&parcel.message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof ends[0]);
        memcpy(CMSG_DATA(head), &ends[0], sizeof ends[0]);
        const char* wrong =
            sendmsg(self.sockets_[1], &parcel.message, 0) != 1 ? failed("sendmsg") : nullptr;
        (void)close(ends[0]);
        (void)close(ends[1]);
        return wrong;
    }

    mosrig::guest::Helper helper_;
    int sockets_[2] = {};
};

const KindOf<Many> many("descriptors");
const KindOf<Copies> copies("copies");
const KindOf<Passed> passed("scm-rights");

}  // namespace
