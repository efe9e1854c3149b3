// SPDX-License-Identifier: MIT
//
// Wherever it has come to, it first sleeps in one call without an end until the rig has a word for
// it: meanwhile its memory has to follow it. What wakes it is the rig's word itself, or a child at
// home that sees the word come.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "workloads/io/connection.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

enum class Call { select, pselect, epoll, accept, recv, recvmsg };

class Asleep final : public mosrig::guest::Holder {
  public:
    Asleep(const char* name, Call call) : Holder(name), call_(call) {}

    const char* hold() override {
        // Enough memory that it is still on its way when the program falls asleep elsewhere.
        unsigned char* const ballast = mosrig::guest::map_private(ballast_size);
        if (ballast == nullptr) {
            return failed("mmap");
        }
        mosrig::guest::fill_bytes(ballast, ballast_size, 1);
        switch (call_) {
            case Call::select:
            case Call::pselect:
                return nullptr;
            case Call::epoll:
                return make_set();
            case Call::accept:
                listener_ = mosrig::guest::listen_here(name_);
                return listener_ >= 0 ? start(&Asleep::knock) : failed("a socket that listens");
            case Call::recv:
            case Call::recvmsg:
                return connection_.open() ? start(&Asleep::tell) : failed("a connection");
        }
        return "no call of that kind";
    }

    // The word has come, and wakes nobody again.
    const char* verify() override {
        answers_ = true;
        const char* const wrong = Holder::verify();
        answers_ = false;
        return wrong;
    }

  protected:
    const char* step() override {
        const bool away = is_away();
        const bool sleeps = away && !answers_ && !slept_;
        slept_ = away && (slept_ || sleeps);
        if (!sleeps) {
            return nullptr;
        }
        switch (call_) {
            case Call::select:
                return select_word();
            case Call::pselect:
                return pselect_word();
            case Call::epoll:
                return epoll_word();
            case Call::accept:
                return take_caller();
            case Call::recv:
            case Call::recvmsg:
                return take_byte();
        }
        return nullptr;
    }

  private:
    static constexpr size_t ballast_size = size_t{32} << 20U;

    static bool is_away() {
        const int file = open("/proc/self/where", O_RDONLY | O_CLOEXEC);
        char first = 0;
        const bool known = file >= 0 && read(file, &first, 1) == 1;
        (void)close(file);
        return known && first != '0';
    }

    static fd_set words() {
        fd_set reading;
        FD_ZERO(&reading);
        FD_SET(STDIN_FILENO, &reading);
        return reading;
    }

    // The library's select() makes the call pselect6.
    static const char* select_word() {
        fd_set reading = words();
        return syscall(SYS_select, STDIN_FILENO + 1, &reading, nullptr, nullptr, nullptr) != 1
                   ? failed("select")
                   : nullptr;
    }

    // With a mask that is for the time of the wait only.
    static const char* pselect_word() {
        fd_set reading = words();
        sigset_t mask;
        sigset_t after;
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGUSR1);
        if (pselect(STDIN_FILENO + 1, &reading, nullptr, nullptr, nullptr, &mask) != 1 ||
            !FD_ISSET(STDIN_FILENO, &reading) || sigprocmask(SIG_BLOCK, nullptr, &after) != 0) {
            return failed("pselect");
        }
        return sigismember(&after, SIGUSR1) != 0 ? "pselect leaves its mask behind" : nullptr;
    }

    const char* make_set() {
        struct epoll_event event = {};
        event.events = EPOLLIN;
        set_ = epoll_create1(EPOLL_CLOEXEC);
        return set_ < 0 || epoll_ctl(set_, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0
                   ? failed("epoll_ctl")
                   : nullptr;
    }

    const char* epoll_word() const {
        struct epoll_event event = {};
        return epoll_wait(set_, &event, 1, -1) != 1 || event.events != EPOLLIN
                   ? failed("epoll_wait")
                   : nullptr;
    }

    const char* take_caller() const {
        const int caller = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        return caller < 0 || close(caller) != 0 ? failed("accept") : nullptr;
    }

    // Takes what the child tells, and answers it.
    [[nodiscard]] const char* take_byte() const {
        char byte = 0;
        struct iovec part = {&byte, 1};
        struct msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const ssize_t taken = call_ == Call::recvmsg ? recvmsg(connection_.server, &message, 0)
                                                     : recv(connection_.server, &byte, 1, 0);
        return taken != 1 || send(connection_.server, "x", 1, MSG_NOSIGNAL) != 1
                   ? failed("recv, or send")
                   : nullptr;
    }

    // Makes the child, which does that whenever the rig has said a word.
    const char* start(void (Asleep::*child)()) {
        const pid_t pid = fork();
        if (pid != 0) {
            return pid < 0 ? failed("fork") : nullptr;
        }
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            struct pollfd input = {STDIN_FILENO, POLLIN, 0};
            if (poll(&input, 1, -1) != 1 || (input.revents & POLLIN) == 0) {
                _exit(0);
            }
            (this->*child)();
        }
    }

    // Of the child. Calls, and waits until that is taken.
    void knock() {
        char byte = 0;
        const int caller = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(caller, reinterpret_cast<struct sockaddr*>(&name_), sizeof name_) != 0 ||
            read(caller, &byte, 1) != 0 || close(caller) != 0) {
            _exit(1);
        }
    }

    // Of the child. Sends a byte, and waits for the answer.
    void tell() {
        char byte = 0;
        if (send(connection_.client, "x", 1, MSG_NOSIGNAL) != 1 ||
            recv(connection_.client, &byte, 1, 0) != 1) {
            _exit(1);
        }
    }

    Call call_;
    mosrig::guest::Connection connection_;
    struct sockaddr_in name_ = {};
    int listener_ = -1;
    int set_ = -1;
    bool answers_ = false;
    bool slept_ = false;  // since it has come
};

const KindOf<Asleep, Call::select> in_select("asleep-select");
const KindOf<Asleep, Call::pselect> in_pselect("asleep-pselect");
const KindOf<Asleep, Call::epoll> in_epoll("asleep-epoll");
const KindOf<Asleep, Call::accept> in_accept("asleep-accept");
const KindOf<Asleep, Call::recv> in_recv("asleep-recv");
const KindOf<Asleep, Call::recvmsg> in_recvmsg("asleep-recvmsg");

}  // namespace
