// SPDX-License-Identifier: MIT
//
// Waiting for descriptors: poll, select and epoll, for what is there, and for time to go by. For
// what comes later from another process see asleep.h.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <ctime>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::now_ms;

// Two pipes: one always has a byte, the other never.
class Waiting : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (pipe2(full_, O_CLOEXEC) != 0 || pipe2(empty_, O_CLOEXEC) != 0 ||
            write(full_[1], "x", 1) != 1) {
            return failed("pipe");
        }
        return nullptr;
    }

  protected:
    static constexpr int wait_ms = 40;

    [[nodiscard]] int full() const { return full_[0]; }
    [[nodiscard]] int empty() const { return empty_[0]; }
    // A wait of wait_ms that began at `begin` has been one.
    static const char* lasted(int64_t begin) {
        const int64_t passed = now_ms() - begin;
        return passed < wait_ms - 1 ? differs("ms waited", passed, wait_ms) : nullptr;
    }

  private:
    int full_[2] = {};
    int empty_[2] = {};
};

class Poll final : public Waiting {
  public:
    using Waiting::Waiting;

    // Enough memory that it is still on its way while the program waits elsewhere.
    const char* hold() override {
        unsigned char* const ballast = mosrig::guest::map_private(ballast_size);
        if (ballast == nullptr) {
            return failed("mmap");
        }
        mosrig::guest::fill_bytes(ballast, ballast_size, 1);
        return Waiting::hold();
    }

  protected:
    const char* step() override {
        struct pollfd both[] = {{empty(), POLLIN, 0}, {full(), POLLIN, 0}, {-1, POLLIN, 0}};
        if (poll(both, 3, -1) != 1 || both[0].revents != 0 || both[1].revents != POLLIN) {
            return failed("poll");
        }
        const struct timespec wait = {0, wait_ms * 1000000L};
        int64_t begin = now_ms();
        if (poll(both, 1, wait_ms) != 0) {
            return failed("poll of nothing");
        }
        if (const char* wrong = lasted(begin); wrong != nullptr) {
            return wrong;
        }
        begin = now_ms();
        if (ppoll(both, 1, &wait, nullptr) != 0) {
            return failed("ppoll of nothing");
        }
        if (const char* wrong = lasted(begin); wrong != nullptr) {
            return wrong;
        }
        return masked_wait(both, &wait);
    }

  private:
    static constexpr size_t ballast_size = size_t{32} << 20U;

    // A mask that is for the time of the wait only.
    static const char* masked_wait(struct pollfd* both, const struct timespec* wait) {
        sigset_t mask;
        sigset_t after;
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGUSR1);
        if (ppoll(both, 1, wait, &mask) != 0 || sigprocmask(SIG_BLOCK, nullptr, &after) != 0) {
            return failed("ppoll with a mask");
        }
        return sigismember(&after, SIGUSR1) != 0 ? "ppoll leaves its mask behind" : nullptr;
    }
};

class Select final : public Waiting {
  public:
    using Waiting::Waiting;

  protected:
    const char* step() override {
        fd_set reading;
        FD_ZERO(&reading);
        FD_SET(full(), &reading);
        FD_SET(empty(), &reading);
        const int most = (full() > empty() ? full() : empty()) + 1;
        if (select(most, &reading, nullptr, nullptr, nullptr) != 1 || !FD_ISSET(full(), &reading) ||
            FD_ISSET(empty(), &reading)) {
            return failed("select");
        }
        const struct timespec wait = {0, wait_ms * 1000000L};
        FD_ZERO(&reading);
        FD_SET(empty(), &reading);
        const int64_t begin = now_ms();
        if (pselect(most, &reading, nullptr, nullptr, &wait, nullptr) != 0 ||
            FD_ISSET(empty(), &reading)) {
            return failed("pselect of nothing");
        }
        return lasted(begin);
    }
};

class Epoll final : public Waiting {
  public:
    using Waiting::Waiting;

    const char* hold() override {
        if (const char* wrong = Waiting::hold(); wrong != nullptr) {
            return wrong;
        }
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        return epoll_ < 0 || !add(full(), EPOLLIN, 17) || !add(empty(), EPOLLIN | EPOLLET, 18)
                   ? failed("epoll_ctl")
                   : nullptr;
    }

  protected:
    const char* step() override {
        struct epoll_event events[4] = {};
        if (epoll_wait(epoll_, events, 4, -1) != 1) {
            return failed("epoll_wait");
        }
        if (events[0].data.u64 != 17 || events[0].events != EPOLLIN) {
            return differs("data of the event", static_cast<long long>(events[0].data.u64), 17);
        }
        // Taken out and put in again, once for a single event.
        if (epoll_ctl(epoll_, EPOLL_CTL_DEL, full(), nullptr) != 0) {
            return failed("EPOLL_CTL_DEL");
        }
        const int64_t begin = now_ms();
        if (epoll_pwait(epoll_, events, 4, wait_ms, nullptr) != 0) {
            return failed("epoll_pwait of nothing");
        }
        if (const char* wrong = lasted(begin); wrong != nullptr) {
            return wrong;
        }
        if (!add(full(), EPOLLIN | EPOLLONESHOT, 19) || epoll_wait(epoll_, events, 4, 1000) != 1 ||
            epoll_wait(epoll_, events, 4, 0) != 0) {
            return failed("EPOLLONESHOT");
        }
        struct epoll_event event = {};
        event.events = EPOLLIN;
        event.data.u64 = 17;
        return epoll_ctl(epoll_, EPOLL_CTL_MOD, full(), &event) != 0 ? failed("EPOLL_CTL_MOD")
                                                                     : nullptr;
    }

  private:
    [[nodiscard]] bool add(int fd, uint32_t events, uint64_t data) const {
        struct epoll_event event = {};
        event.events = events;
        event.data.u64 = data;
        return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
    }

    int epoll_ = -1;
};

const KindOf<Poll> poll_kind("poll");
const KindOf<Select> select_kind("select");
const KindOf<Epoll> epoll_kind("epoll");

}  // namespace
