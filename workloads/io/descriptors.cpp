// SPDX-License-Identifier: MIT
//
// The table of descriptors itself: many of them, copies and flags.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

const KindOf<Many> many("descriptors");
const KindOf<Copies> copies("copies");

}  // namespace
