// SPDX-License-Identifier: MIT
//
// Calls that wait, each ended by a signal whose handler asks for SA_RESTART, and by one whose does
// not. A child sends the signal once it sees the process in the call, and provides what the call
// waits for only when the handler has run: to the same call, if that goes on, and else to a second
// one, from which the first has taken nothing.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "workloads/io/connection.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"
#include "workloads/signals/noted.h"

namespace {

using mosrig::guest::await_within;
using mosrig::guest::failed;
using mosrig::guest::NotedSignal;

struct Message {
    long type;
    int value;
};

class AmidCalls final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;
    AmidCalls(const AmidCalls&) = delete;
    AmidCalls& operator=(const AmidCalls&) = delete;
    ~AmidCalls() override {
        if (queue_ >= 0) {
            (void)msgctl(queue_, IPC_RMID, nullptr);
        }
        if (set_ >= 0) {
            (void)semctl(set_, 0, IPC_RMID);
        }
        if (waited_for_ > 0) {
            (void)kill(waited_for_, SIGKILL);
            (void)waitpid(waited_for_, nullptr, 0);
        }
    }

    const char* hold() override {
        if (pipe2(order_, O_CLOEXEC) != 0 || pipe2(ended_, O_CLOEXEC) != 0 || !signal_.open()) {
            return failed("pipe");
        }
        queue_ = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
        set_ = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
        file_ = mosrig::guest::scratch_file(O_CLOEXEC);
        listener_ = mosrig::guest::listen_here(address_);
        if (queue_ < 0 || set_ < 0 || file_ < 0 || listener_ < 0 || !connection_.open()) {
            return failed("a queue, a semaphore, a file, sockets");
        }
        waited_for_ = fork();
        if (waited_for_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) {
                (void)pause();
            }
        }
        return waited_for_ < 0 ? failed("fork") : helper_.start(do_part, do_part, this);
    }

  protected:
    const char* act() override {
        for (int at = 0; at < count_; ++at) {
            for (const int flags : {0, SA_RESTART}) {
                const char* const wrong = disturbed({at, flags, false});
                if (wrong != nullptr) {
                    (void)snprintf(wrong_, sizeof wrong_, "%s, %s: %s", rows_[at].name,
                                   flags != 0 ? "SA_RESTART" : "no SA_RESTART", wrong);
                    return wrong_;
                }
            }
        }
        return nullptr;
    }

  private:
    using Part = bool (AmidCalls::*)();

    struct Row {
        const char* name;
        const char* place;  // a part of the name of the kernel's function in which it waits
        Part call;          // true if it came back with what was provided
        Part prepare;       // of the child: from now on the call waits
        Part provide;       // of the child
        bool restarts;      // if the handler asks for it
    };
    static const Row rows_[];
    static const int count_;

    struct Order {
        int row;
        int flags;
        bool disturbs;  // or prepares
    };
    static bool goes_on(const Order& order) {
        return rows_[order.row].restarts && order.flags != 0;
    }

    bool receive_message() {
        Message message = {};
        return msgrcv(queue_, &message, sizeof message.value, 3, 0) == sizeof message.value &&
               message.type == 3 && message.value == 0x5A5A;
    }
    bool send_message() {
        const Message message = {3, 0x5A5A};
        return msgsnd(queue_, &message, sizeof message.value, 0) == 0;
    }
    bool lower() {
        struct sembuf operation = {0, -2, 0};
        return semop(set_, &operation, 1) == 0 && semctl(set_, 0, GETVAL) == 0;
    }
    bool raise() {
        struct sembuf operation = {0, 2, 0};
        return semop(set_, &operation, 1) == 0;
    }
    bool lock() { return flock(file_, LOCK_EX) == 0 && flock(file_, LOCK_UN) == 0; }
    // A descriptor that was opened anew, whose lock is the child's alone.
    bool others_lock() {
        theirs_ = theirs_ < 0 ? mosrig::guest::reopen(file_, O_RDWR) : theirs_;
        return flock(theirs_, LOCK_EX) == 0;
    }
    bool others_unlock() { return flock(theirs_, LOCK_UN) == 0; }

    static bool lock_range(int fd, short type) {
        struct flock range = {};
        range.l_type = type;
        range.l_whence = SEEK_SET;
        range.l_start = 10;
        range.l_len = 5;
        return fcntl(fd, F_SETLKW, &range) == 0;
    }
    bool range() { return lock_range(file_, F_WRLCK) && lock_range(file_, F_UNLCK); }
    bool others_range() { return lock_range(file_, F_WRLCK); }
    bool others_free_range() { return lock_range(file_, F_UNLCK); }

    bool wait_for_stop() {
        int status = 0;
        return wait4(waited_for_, &status, WUNTRACED, nullptr) == waited_for_ &&
               WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
    }
    bool let_run() { return kill(waited_for_, SIGCONT) == 0; }
    bool stop() { return kill(waited_for_, SIGSTOP) == 0; }

    bool take_caller() {
        const int caller = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        return caller >= 0 && close(caller) == 0;
    }
    bool knock() {
        const int caller = socket(AF_INET, SOCK_STREAM, 0);
        return connect(caller, reinterpret_cast<struct sockaddr*>(&address_), sizeof address_) ==
                   0 &&
               close(caller) == 0;
    }
    bool take_byte() {
        char byte = 0;
        return recv(connection_.server, &byte, 1, 0) == 1 && byte == 'b';
    }
    bool send_byte() { return send(connection_.client, "b", 1, MSG_NOSIGNAL) == 1; }

    bool nothing() { return true; }

    [[nodiscard]] bool tell(const Order& order) const {
        return mosrig::guest::write_all(order_[1], &order, sizeof order);
    }

    const char* disturbed(Order order) {
        const Row& row = rows_[order.row];
        const char* wrong = NotedSignal::handle(order.flags);
        if (wrong != nullptr || !tell(order)) {
            return wrong != nullptr ? wrong : failed("an order");
        }
        wrong = helper_.act();
        order.disturbs = true;
        if (wrong != nullptr || !tell(order)) {
            return wrong != nullptr ? wrong : failed("an order");
        }
        wrong = helper_.begin_act();
        errno = 0;
        const bool done = (this->*row.call)();
        const int error = errno;
        const bool ended = !done && error == EINTR;
        // The second call, if the first has ended.
        const bool told = write(ended_[1], "e", 1) == 1;
        const bool later = ended && (this->*row.call)();
        const char* const seen = helper_.end_act();
        wrong = wrong != nullptr ? wrong : seen;
        if (wrong != nullptr || !told) {
            return wrong != nullptr ? wrong : failed("a word to the child");
        }
        if (done != goes_on(order) || (!done && !later)) {
            errno = error;
            return done ? "it goes on" : failed(ended ? "it has ended" : "the call");
        }
        return NotedSignal::expect_one();
    }

    // Of the child.
    static const char* do_part(void* data) {
        auto& self = *static_cast<AmidCalls*>(data);
        Order order = {};
        if (!mosrig::guest::read_all(self.order_[0], &order, sizeof order)) {
            return failed("the order");
        }
        const Row& row = rows_[order.row];
        if (!order.disturbs) {
            return (self.*row.prepare)() ? nullptr : failed("what makes the call wait");
        }
        const char* const wrong = self.disturb(row, goes_on(order));
        // Whatever was wrong, nobody waits for ever.
        const bool provided = (self.*row.provide)();
        char letter = 0;
        if (wrong != nullptr || !provided) {
            return wrong != nullptr ? wrong : failed("what the call waits for");
        }
        return goes_on(order) && read(self.ended_[0], &letter, 1) != 1 ? failed("its end")
                                                                       : nullptr;
    }

    [[nodiscard]] const char* disturb(const Row& row, bool again) const {
        if (const char* wrong = await_within(getppid(), row.place); wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = signal_.send(); wrong != nullptr) {
            return wrong;
        }
        if (again) {
            return await_within(getppid(), row.place);
        }
        return NotedSignal::hears(ended_[0]) ? nullptr : "the call goes on after the handler";
    }

    NotedSignal signal_;
    mosrig::guest::Helper helper_;
    mosrig::guest::Connection connection_;
    struct sockaddr_in address_ = {};
    int order_[2] = {-1, -1};
    int ended_[2] = {-1, -1};
    int queue_ = -1;
    int set_ = -1;
    int file_ = -1;
    int theirs_ = -1;
    int listener_ = -1;
    pid_t waited_for_ = 0;
    char wrong_[160] = {};
};

using Calls = AmidCalls;
const Calls::Row Calls::rows_[] = {
    {"msgrcv", "msgrcv", &Calls::receive_message, &Calls::nothing, &Calls::send_message, false},
    {"semop", "semtimedop", &Calls::lower, &Calls::nothing, &Calls::raise, false},
    {"flock", "lock_inode_wait", &Calls::lock, &Calls::others_lock, &Calls::others_unlock, true},
    {"F_SETLKW", "setlk", &Calls::range, &Calls::others_range, &Calls::others_free_range, true},
    {"wait4", "do_wait", &Calls::wait_for_stop, &Calls::let_run, &Calls::stop, true},
    {"accept", "inet_csk_", &Calls::take_caller, &Calls::nothing, &Calls::knock, true},
    {"recv", "wait_woken", &Calls::take_byte, &Calls::nothing, &Calls::send_byte, true},
};
const int Calls::count_ = sizeof rows_ / sizeof rows_[0];

const mosrig::guest::KindOf<AmidCalls> amid_calls("amid-calls");

}  // namespace
