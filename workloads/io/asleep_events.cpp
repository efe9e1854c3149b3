// SPDX-License-Identifier: MIT
//
// Wherever it has come to, it first sleeps in one call for an event that only a child at home
// makes, once it sees the process in that call: a counter that is raised, a signal, a file that is
// made, a timer that fires; or all but the last in one epoll set.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "workloads/io/asleep.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::now_ns;
using mosrig::guest::reads;

// What each source of events has: `place`, where the kernel waits for it; make(), of the process;
// wake(), of the child; and take(), of the process again, which waits for what the child does and
// looks at it. Each of the last two counts its turns.
struct Source {
    int fd = -1;
    int turn = 0;

    // One event was one event.
    [[nodiscard]] const char* expect_empty(const char* what) const {
        struct pollfd more = {fd, POLLIN, 0};
        const int count = poll(&more, 1, 0);
        return count != 0 ? differs(what, count, 0) : nullptr;
    }
};

struct Counter : Source {
    static constexpr const char* place = "do_wait_intr";  // of eventfd_read

    const char* make() {
        fd = eventfd(0, EFD_CLOEXEC);
        return fd < 0 ? failed("eventfd") : nullptr;
    }
    [[nodiscard]] const char* wake() const {
        return eventfd_write(fd, 7) != 0 ? failed("write of the counter") : nullptr;
    }
    [[nodiscard]] const char* take(pid_t /*child*/) const {
        eventfd_t value = 0;
        if (eventfd_read(fd, &value) != 0) {
            return failed("read of the counter");
        }
        return value != 7 ? differs("the counter", static_cast<long long>(value), 7)
                          : expect_empty("counters once that is read");
    }
};

// Signals that carry the turn.
struct Signals : Source {
    static constexpr const char* place = "signalfd";
    static int number() { return SIGRTMIN + 1; }

    const char* make() {
        sigset_t set;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, number());
        fd = sigprocmask(SIG_BLOCK, &set, nullptr) != 0 ? -1 : signalfd(-1, &set, SFD_CLOEXEC);
        return fd < 0 ? failed("signalfd") : nullptr;
    }
    const char* wake() {
        union sigval value = {};
        value.sival_int = base + ++turn;
        return sigqueue(getppid(), number(), value) != 0 ? failed("sigqueue") : nullptr;
    }
    const char* take(pid_t child) {
        struct signalfd_siginfo info = {};
        if (read(fd, &info, sizeof info) != sizeof info) {
            return failed("read of the signal");
        }
        if (info.ssi_signo != static_cast<uint32_t>(number()) || info.ssi_code != SI_QUEUE) {
            return differs("the signal", info.ssi_signo, number());
        }
        if (info.ssi_pid != static_cast<uint32_t>(child) || info.ssi_uid != getuid()) {
            return differs("who sent the signal", info.ssi_pid, child);
        }
        return info.ssi_int != base + ++turn
                   ? differs("the value of the signal", info.ssi_int, base + turn)
                   : expect_empty("signals once that is read");
    }

  private:
    static constexpr int base = 0x5A0000;
};

// A folder in which the child makes files, each of another name.
struct Folder : Source {
    static constexpr const char* place = "wait_woken";  // of inotify_read

    Folder() = default;
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        if (watch_ > 0) {
            (void)rmdir(path_);
        }
    }

    const char* make() {
        fd = inotify_init1(IN_CLOEXEC);
        if (fd < 0 || mkdtemp(path_) == nullptr) {
            return failed("inotify_init1, a folder");
        }
        watch_ = inotify_add_watch(fd, path_, IN_CREATE);
        return watch_ < 0 ? failed("inotify_add_watch") : nullptr;
    }
    const char* wake() {
        char file[64];
        (void)snprintf(file, sizeof file, "%s/file-%d", path_, ++turn);
        const int made = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        return made < 0 || close(made) != 0 || unlink(file) != 0 ? failed("a file in the folder")
                                                                 : nullptr;
    }
    const char* take(pid_t /*child*/) {
        alignas(struct inotify_event) char bytes[1024] = {};
        struct inotify_event event = {};
        constexpr ssize_t padded = 16;
        char name[24];
        const ssize_t count = read(fd, bytes, sizeof bytes);
        if (count < 0) {
            return failed("read of the event");
        }
        if (count != ssize_t{sizeof event} + padded) {
            return differs("bytes of the event", count, ssize_t{sizeof event} + padded);
        }
        memcpy(&event, bytes, sizeof event);
        if (event.wd != watch_ || event.cookie != 0 || event.mask != IN_CREATE) {
            return differs("mask of the event", event.mask, IN_CREATE);
        }
        (void)snprintf(name, sizeof name, "file-%d", ++turn);
        return strcmp(bytes + sizeof event, name) != 0
                   ? reads("the name in the event", bytes + sizeof event)
                   : expect_empty("events once that is read");
    }

  private:
    char path_[32] = "/tmp/mosrig-asleep-XXXXXX";
    int watch_ = -1;
};

// The child sets it, and says when it is due.
struct Timer : Source {
    static constexpr const char* place = "do_wait_intr";  // of timerfd_read

    const char* make() {
        fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        return fd < 0 || pipe2(due_, O_CLOEXEC) != 0 ? failed("timerfd_create, a pipe") : nullptr;
    }
    const char* wake() {
        constexpr int64_t after_ns = 50000000;
        struct itimerspec timer = {};
        timer.it_value.tv_nsec = after_ns;
        const int64_t due = now_ns() + after_ns;
        return !mosrig::guest::write_all(due_[1], &due, sizeof due) ||
                       timerfd_settime(fd, 0, &timer, nullptr) != 0
                   ? failed("timerfd_settime")
                   : nullptr;
    }
    const char* take(pid_t /*child*/) {
        uint64_t ticks = 0;
        int64_t due = 0;
        if (read(fd, &ticks, sizeof ticks) != sizeof ticks) {
            return failed("read of the timer");
        }
        const int64_t over = now_ns();
        if (ticks != 1) {
            return differs("ticks of a timer that fires once", static_cast<long long>(ticks), 1);
        }
        if (!mosrig::guest::read_all(due_[0], &due, sizeof due)) {
            return failed("the time at which it is due");
        }
        return over < due ? differs("ns after the timer was due", over - due, 0)
                          : expect_empty("ticks once that is read");
    }

  private:
    int due_[2] = {-1, -1};
};

// Three of them in a set, each reported once.
struct Set : Source {
    static constexpr const char* place = "poll";

    const char* make() {
        fd = epoll_create1(EPOLL_CLOEXEC);
        const char* wrong = fd < 0 ? failed("epoll_create1") : counter_.make();
        wrong = wrong != nullptr ? wrong : signals_.make();
        wrong = wrong != nullptr ? wrong : folder_.make();
        if (wrong != nullptr) {
            return wrong;
        }
        return add(counter_.fd, 0) && add(signals_.fd, 1) && add(folder_.fd, 2)
                   ? nullptr
                   : failed("epoll_ctl");
    }
    const char* wake() {
        const char* wrong = counter_.wake();
        wrong = wrong != nullptr ? wrong : signals_.wake();
        return wrong != nullptr ? wrong : folder_.wake();
    }
    const char* take(pid_t child) {
        unsigned reported = 0;  // a bit for each
        while (reported != 7) {
            struct epoll_event events[4] = {};
            const int count = epoll_wait(fd, events, 4, -1);
            if (count <= 0) {
                return failed("epoll_wait");
            }
            for (int at = 0; at < count; ++at) {
                const char* const wrong = take_one(events[at], reported, child);
                if (wrong != nullptr) {
                    return wrong;
                }
            }
        }
        struct epoll_event more = {};
        const int count = epoll_wait(fd, &more, 1, 0);
        return count != 0 ? differs("events once all are read", count, 0) : nullptr;
    }

  private:
    static constexpr uint64_t label = 0x6D6F737269670000;

    [[nodiscard]] bool add(int source, uint64_t number) const {
        struct epoll_event event = {};
        event.events = EPOLLIN;
        event.data.u64 = label + number;
        return epoll_ctl(fd, EPOLL_CTL_ADD, source, &event) == 0;
    }
    const char* take_one(const struct epoll_event& event, unsigned& reported, pid_t child) {
        const uint64_t number = event.data.u64 - label;
        if (number > 2 || event.events != EPOLLIN) {
            return differs("what is reported of a source", event.events, EPOLLIN);
        }
        if ((reported & 1U << number) != 0) {
            return differs("reported twice: source", static_cast<long long>(number), -1);
        }
        reported |= 1U << number;
        switch (number) {
            case 0:
                return counter_.take(child);
            case 1:
                return signals_.take(child);
            default:
                return folder_.take(child);
        }
    }

    Counter counter_;
    Signals signals_;
    Folder folder_;
};

template <class Of>
class AsleepFor final : public mosrig::guest::Woken {
  public:
    explicit AsleepFor(const char* name) : Woken(name, Of::place) {}

  protected:
    const char* make() override { return source_.make(); }
    const char* call() override { return source_.take(child()); }
    const char* wake() override { return source_.wake(); }

  private:
    Of source_;
};

const KindOf<AsleepFor<Counter>> in_counter("asleep-eventfd");
const KindOf<AsleepFor<Signals>> in_signals("asleep-signalfd");
const KindOf<AsleepFor<Folder>> in_folder("asleep-inotify");
const KindOf<AsleepFor<Timer>> in_timer("asleep-timerfd");
const KindOf<AsleepFor<Set>> in_set("asleep-epoll-events");

}  // namespace
