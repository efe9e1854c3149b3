// SPDX-License-Identifier: MIT
//
// Wherever it has come to, it first sleeps in one call without an end until the rig has a word for
// it. What wakes it is the rig's word itself, or a child at home that calls it, or tells it
// something.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "workloads/io/asleep.h"
#include "workloads/io/connection.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

enum class Call { select, pselect, epoll, recv, recvmsg };

// In a call for the line to the rig.
class AsleepForWord final : public mosrig::guest::Asleep {
  public:
    AsleepForWord(const char* name, Call call) : Asleep(name), call_(call) {}

  protected:
    const char* prepare() override { return call_ == Call::epoll ? make_set() : nullptr; }

    const char* sleep() override {
        switch (call_) {
            case Call::select:
                return select_word();
            case Call::pselect:
                return pselect_word();
            case Call::epoll:
                return epoll_word();
            default:
                return "no call of that kind";
        }
    }

  private:
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

    Call call_;
    int set_ = -1;
};

// Until the child calls.
class AsleepForCaller final : public mosrig::guest::Woken {
  public:
    explicit AsleepForCaller(const char* name) : Woken(name, "inet_csk_") {}

  protected:
    const char* make() override {
        listener_ = mosrig::guest::listen_here(name_);
        return listener_ >= 0 ? nullptr : failed("a socket that listens");
    }

    const char* call() override {
        const int caller = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        return caller < 0 || close(caller) != 0 ? failed("accept") : nullptr;
    }

    // Waits until that is taken.
    const char* wake() override {
        char byte = 0;
        const int caller = socket(AF_INET, SOCK_STREAM, 0);
        return connect(caller, reinterpret_cast<struct sockaddr*>(&name_), sizeof name_) != 0 ||
                       read(caller, &byte, 1) != 0 || close(caller) != 0
                   ? failed("connect, or the end of it")
                   : nullptr;
    }

  private:
    struct sockaddr_in name_ = {};
    int listener_ = -1;
};

// Until the child sends a byte, which is answered.
class AsleepForByte final : public mosrig::guest::Woken {
  public:
    AsleepForByte(const char* name, Call call) : Woken(name, "wait_woken"), call_(call) {}

  protected:
    const char* make() override { return connection_.open() ? nullptr : failed("a connection"); }

    const char* call() override {
        char byte = 0;
        struct iovec part = {&byte, 1};
        struct msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const ssize_t taken = call_ == Call::recvmsg ? recvmsg(connection_.server, &message, 0)
                                                     : recv(connection_.server, &byte, 1, 0);
        return taken != 1 || byte != 'x' || send(connection_.server, "y", 1, MSG_NOSIGNAL) != 1
                   ? failed("recv, or send")
                   : nullptr;
    }

    const char* wake() override {
        char byte = 0;
        return send(connection_.client, "x", 1, MSG_NOSIGNAL) != 1 ||
                       recv(connection_.client, &byte, 1, 0) != 1 || byte != 'y'
                   ? failed("send, or the answer")
                   : nullptr;
    }

  private:
    Call call_;
    mosrig::guest::Connection connection_;
};

const KindOf<AsleepForWord, Call::select> in_select("asleep-select");
const KindOf<AsleepForWord, Call::pselect> in_pselect("asleep-pselect");
const KindOf<AsleepForWord, Call::epoll> in_epoll("asleep-epoll");
const KindOf<AsleepForCaller> in_accept("asleep-accept");
const KindOf<AsleepForByte, Call::recv> in_recv("asleep-recv");
const KindOf<AsleepForByte, Call::recvmsg> in_recvmsg("asleep-recvmsg");

}  // namespace
