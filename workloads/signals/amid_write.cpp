// SPDX-License-Identifier: MIT
//
// A signal amid a write to a full pipe: of what has been written the call tells, whatever the flags
// of the handler; one that has written nothing yet is made again, or ends, as they say. A child
// sends the signal once it sees the process in the call, and empties the pipe afterwards: there is
// each byte once, in order.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"
#include "workloads/signals/noted.h"

namespace {

using mosrig::guest::await_within;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::NotedSignal;

class AmidWrite final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        if (pipe2(pipe_, O_CLOEXEC) != 0 || pipe2(order_, O_CLOEXEC) != 0 || !signal_.open()) {
            return failed("pipe");
        }
        room_ = fcntl(pipe_[1], F_GETPIPE_SZ);
        bytes_ = mosrig::guest::map_private(most);
        if (room_ <= 0 || static_cast<size_t>(room_) >= most || bytes_ == nullptr) {
            return failed("the room of the pipe, memory");
        }
        return helper_.start(do_part, do_part, this);
    }

  protected:
    const char* act() override {
        const char* wrong = partial(0);
        wrong = wrong != nullptr ? wrong : partial(SA_RESTART);
        wrong = wrong != nullptr ? wrong : made_again();
        return wrong != nullptr ? wrong : ended();
    }

  private:
    static constexpr size_t most = size_t{1} << 20U;
    static constexpr size_t later = 100000;  // more than there is room for at once

    // What the child is to do: to disturb a write, as is told by `again`, and to take so many
    // bytes of each of two seeds.
    struct Order {
        bool disturbs;
        bool again;
        size_t first;
        size_t second;
    };

    [[nodiscard]] const char* begin(const Order& order) const {
        return mosrig::guest::write_all(order_[1], &order, sizeof order) ? helper_.begin_act()
                                                                         : failed("an order");
    }

    // A write of so many bytes of that seed, and its result, while the child does that.
    const char* write_amid(const Order& order, size_t count, uint64_t seed, ssize_t& result) {
        mosrig::guest::fill_bytes(bytes_, count, seed);
        if (const char* wrong = begin(order); wrong != nullptr) {
            return wrong;
        }
        result = write(pipe_[1], bytes_, count);
        error_ = errno;
        const char* const wrong = helper_.end_act();
        return wrong != nullptr ? wrong : NotedSignal::expect_one();
    }

    // Nobody has read anything: as much went as there was room for.
    const char* partial(int flags) {
        ssize_t result = 0;
        const char* wrong = NotedSignal::handle(flags);
        wrong = wrong != nullptr ? wrong : write_amid({true, false, 0, 0}, most, 1, result);
        if (wrong != nullptr) {
            return wrong;
        }
        if (result != room_) {
            errno = error_;
            return result < 0 ? failed("a write that a signal ends halfway")
                              : differs("bytes of a write that a signal ends", result, room_);
        }
        return drain({false, false, static_cast<size_t>(result), 0});
    }

    const char* made_again() {
        ssize_t result = 0;
        const size_t room = static_cast<size_t>(room_);
        const char* wrong = fill();
        wrong = wrong != nullptr ? wrong : NotedSignal::handle(SA_RESTART);
        wrong = wrong != nullptr ? wrong : write_amid({true, true, room, later}, later, 2, result);
        if (wrong != nullptr) {
            return wrong;
        }
        errno = error_;
        return result == later ? nullptr
               : result < 0    ? failed("a write that is to be made again")
                               : differs("bytes of a write that is made again", result, later);
    }

    const char* ended() {
        ssize_t result = 0;
        const char* wrong = fill();
        wrong = wrong != nullptr ? wrong : NotedSignal::handle(0);
        wrong = wrong != nullptr ? wrong : write_amid({true, false, 0, 0}, later, 2, result);
        if (wrong != nullptr) {
            return wrong;
        }
        if (result != -1 || error_ != EINTR) {
            return differs("a write that a signal ends before it has begun", result, -1);
        }
        return drain({false, false, static_cast<size_t>(room_), 0});
    }

    const char* fill() {
        mosrig::guest::fill_bytes(bytes_, static_cast<size_t>(room_), 1);
        return write(pipe_[1], bytes_, static_cast<size_t>(room_)) != room_
                   ? failed("a write that fills the pipe")
                   : nullptr;
    }

    const char* drain(const Order& order) {
        const char* const wrong = begin(order);
        return wrong != nullptr ? wrong : helper_.end_act();
    }

    // Of the child.
    static const char* do_part(void* data) {
        const auto& self = *static_cast<AmidWrite*>(data);
        Order order = {};
        if (!mosrig::guest::read_all(self.order_[0], &order, sizeof order)) {
            return failed("the order");
        }
        const char* const wrong = order.disturbs ? self.disturb(order.again) : nullptr;
        if (wrong != nullptr) {
            self.let_go();
            return wrong;
        }
        return order.first != 0 ? self.take(order) : nullptr;
    }

    [[nodiscard]] const char* disturb(bool again) const {
        constexpr const char* place = "pipe_write";
        if (const char* wrong = await_within(getppid(), place); wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = signal_.send(); wrong != nullptr) {
            return wrong;
        }
        // Or it is over, and the process waits for the answer.
        return await_within(getppid(), again ? place : "pipe_read");
    }

    // A write that goes on nevertheless would wait for ever.
    void let_go() const {
        constexpr int enough_ms = 1000;
        struct pollfd more = {pipe_[0], POLLIN, 0};
        while (poll(&more, 1, enough_ms) == 1 && read(pipe_[0], bytes_, most) > 0) {
        }
    }

    // Those bytes, and no more.
    [[nodiscard]] const char* take(const Order& order) const {
        struct pollfd more = {pipe_[0], POLLIN, 0};
        if (!mosrig::guest::read_all(pipe_[0], bytes_, order.first + order.second)) {
            return failed("read of what was written");
        }
        if (!mosrig::guest::same_bytes(bytes_, order.first, 1) ||
            !mosrig::guest::same_bytes(bytes_ + order.first, order.second, 2)) {
            return "the bytes in the pipe are not those that were written";
        }
        return poll(&more, 1, 0) != 0 ? "there is more in the pipe than was written" : nullptr;
    }

    NotedSignal signal_;
    mosrig::guest::Helper helper_;
    int pipe_[2] = {-1, -1};
    int order_[2] = {-1, -1};
    int room_ = 0;
    int error_ = 0;
    unsigned char* bytes_ = nullptr;
};

const mosrig::guest::KindOf<AmidWrite> amid_write("amid-write");

}  // namespace
