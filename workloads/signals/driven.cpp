// SPDX-License-Identifier: MIT
//
// Signals by which descriptors tell what a child at home does at their other end: bytes in a pipe
// and in a TCP connection, urgent data, and an open for writing of a file on which this process has
// a lease. Each is told by one signal, which says of which descriptor.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "workloads/io/connection.h"
#include "workloads/lib/await.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::await;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ms;

class Driven final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        file_ = mosrig::guest::only_to_read(mosrig::guest::scratch_file(O_CLOEXEC));
        if (pipe2(pipe_, O_CLOEXEC) != 0 || pipe2(order_, O_CLOEXEC) != 0 ||
            pipe2(opened_, O_CLOEXEC) != 0 || !connection_.open() || file_ < 0) {
            return failed("pipes, a connection, a file");
        }
        if (!handle(number(), take_driven) || !handle(SIGURG, take_urgent)) {
            return failed("sigaction");
        }
        if (!drive(pipe_[0]) || !drive(connection_.server)) {
            return failed("F_SETOWN, F_SETSIG, O_ASYNC");
        }
        return helper_.start(do_part, do_part, this);
    }

  protected:
    const char* act() override {
        const char* wrong = told_of_bytes('p', pipe_[0]);
        wrong = wrong != nullptr ? wrong : told_of_bytes('c', connection_.server);
        wrong = wrong != nullptr ? wrong : told_of_urgent();
        return wrong != nullptr ? wrong : told_of_open();
    }

    // None has come late, or by itself.
    const char* check() override {
        return driven_ != wanted_ ? differs("signals of descriptors in all", driven_, wanted_)
               : urgent_ != wanted_urgent_ ? differs("SIGURG in all", urgent_, wanted_urgent_)
                                           : nullptr;
    }

  private:
    static constexpr int64_t taken_away_ms = 45000;  // by default

    static int number() { return SIGRTMIN + 2; }

    static bool handle(int signal, void (*handler)(int, siginfo_t*, void*)) {
        struct sigaction action = {};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        return sigaction(signal, &action, nullptr) == 0;
    }
    static void take_driven(int /*signal*/, siginfo_t* info, void* /*context*/) {
        seen_ = *info;
        driven_ = driven_ + 1;
    }
    static void take_urgent(int /*signal*/, siginfo_t* info, void* /*context*/) {
        seen_urgent_ = *info;
        urgent_ = urgent_ + 1;
    }

    static bool be_asynchronous(int fd, bool is) {
        return fcntl(fd, F_SETFL, is ? O_ASYNC : 0) == 0;
    }
    static bool drive(int fd) {
        return fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, number()) == 0 &&
               be_asynchronous(fd, true);
    }

    // The one signal more that the child's part makes.
    const char* expect_driven(int fd, int code) {
        ++wanted_;
        (void)await([this] { return driven_ >= wanted_; });
        if (driven_ != wanted_) {
            return differs("signals of a descriptor", driven_, wanted_);
        }
        if (seen_.si_signo != number() || seen_.si_code != code) {
            return differs("si_code", seen_.si_code, code);
        }
        if (seen_.si_fd != fd) {
            return differs("si_fd", seen_.si_fd, fd);
        }
        return (seen_.si_band & POLLIN) == 0 ? differs("si_band", seen_.si_band, POLLIN) : nullptr;
    }

    // All signals have been sent once the child has done its part.
    const char* let_do(char part) {
        return write(order_[1], &part, 1) != 1 ? failed("an order") : helper_.act();
    }

    const char* told_of_bytes(char part, int fd) {
        char byte = 0;
        const char* wrong = let_do(part);
        wrong = wrong != nullptr ? wrong : expect_driven(fd, POLL_IN);
        if (wrong != nullptr) {
            return wrong;
        }
        return read(fd, &byte, 1) != 1 || byte != part ? failed("the byte that was told of")
                                                       : nullptr;
    }

    // Of urgent data there is a signal whether or not the socket tells of others as well.
    const char* told_of_urgent() {
        char byte = 0;
        const int fd = connection_.server;
        if (!be_asynchronous(fd, false)) {
            return failed("no O_ASYNC");
        }
        if (const char* wrong = let_do('u'); wrong != nullptr) {
            return wrong;
        }
        ++wanted_urgent_;
        (void)await([this] { return urgent_ >= wanted_urgent_; });
        if (urgent_ != wanted_urgent_) {
            return differs("SIGURG", urgent_, wanted_urgent_);
        }
        if (seen_urgent_.si_code != SI_KERNEL) {
            return differs("si_code of SIGURG", seen_urgent_.si_code, SI_KERNEL);
        }
        if (driven_ != wanted_) {
            return differs("signals of a socket without O_ASYNC", driven_, wanted_);
        }
        return recv(fd, &byte, 1, MSG_OOB) != 1 || byte != 'u' || !be_asynchronous(fd, true)
                   ? failed("the urgent byte, O_ASYNC")
                   : nullptr;
    }

    // The other's open waits until the lease is given up.
    const char* told_of_open() {
        const char part = 'l';
        // Whoever gives up a lease gives up its signal as well.
        if (fcntl(file_, F_SETSIG, number()) != 0 || fcntl(file_, F_SETLEASE, F_RDLCK) != 0 ||
            fcntl(file_, F_GETLEASE) != F_RDLCK) {
            return failed("F_SETLEASE");
        }
        if (write(order_[1], &part, 1) != 1) {
            return failed("an order");
        }
        const char* wrong = helper_.begin_act();
        wrong = wrong != nullptr ? wrong : expect_driven(file_, POLL_MSG);
        wrong = wrong != nullptr ? wrong : waits_for_lease();
        if (fcntl(file_, F_SETLEASE, F_UNLCK) != 0) {
            return failed("F_SETLEASE F_UNLCK");
        }
        const int64_t given_up = now_ms();
        const char* const done = helper_.end_act();
        wrong = wrong != nullptr ? wrong : done;
        // In the end the kernel takes a lease away by itself.
        if (wrong == nullptr && now_ms() - given_up > taken_away_ms / 2) {
            wrong = "the other's open does not go on once the lease is given up";
        }
        if (wrong != nullptr) {
            return wrong;
        }
        char word = 0;
        return read(opened_[0], &word, 1) != 1 ? failed("the word that it is open") : nullptr;
    }

    [[nodiscard]] const char* waits_for_lease() const {
        if (const char* wrong = mosrig::guest::await_within(helper_.pid(), "break_lease");
            wrong != nullptr) {
            return wrong;
        }
        struct pollfd opened = {opened_[0], POLLIN, 0};
        if (poll(&opened, 1, 0) != 0) {
            return "the other's open does not wait for the lease";
        }
        // As it is to be for that open.
        const int lease = fcntl(file_, F_GETLEASE);
        return lease != F_UNLCK ? differs("a lease that is to be given up", lease, F_UNLCK)
                                : nullptr;
    }

    // Of the child.
    static const char* do_part(void* data) {
        const auto& self = *static_cast<Driven*>(data);
        char part = 0;
        bool done = read(self.order_[0], &part, 1) == 1;
        switch (part) {
            case 'p':
                done = done && write(self.pipe_[1], &part, 1) == 1;
                break;
            case 'c':
                done = done && send(self.connection_.client, &part, 1, MSG_NOSIGNAL) == 1;
                break;
            case 'u':
                done = done && send(self.connection_.client, &part, 1, MSG_NOSIGNAL | MSG_OOB) == 1;
                break;
            default:
                const int file = mosrig::guest::reopen(self.file_, O_RDWR);
                done =
                    done && file >= 0 && write(self.opened_[1], &part, 1) == 1 && close(file) == 0;
        }
        return done ? nullptr : failed("what the child is to do");
    }

    static inline volatile sig_atomic_t driven_;
    static inline volatile sig_atomic_t urgent_;
    static inline siginfo_t seen_;
    static inline siginfo_t seen_urgent_;
    mosrig::guest::Helper helper_;
    mosrig::guest::Connection connection_;
    int pipe_[2] = {-1, -1};
    int order_[2] = {-1, -1};
    int opened_[2] = {-1, -1};
    int file_ = -1;
    int wanted_ = 0;
    int wanted_urgent_ = 0;
};

const mosrig::guest::KindOf<Driven> driven("driven");

}  // namespace
