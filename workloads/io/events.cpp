// SPDX-License-Identifier: MIT
//
// Descriptors of events: counters, timers, signals, changes of files.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::now_ns;

class EventFd final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        fd_ = eventfd(5, EFD_CLOEXEC | EFD_NONBLOCK);
        return fd_ < 0 ? failed("eventfd") : nullptr;
    }

  protected:
    // Five lie in it between the turns.
    const char* step() override {
        eventfd_t value = 0;
        if (eventfd_write(fd_, 7) != 0 || eventfd_read(fd_, &value) != 0) {
            return failed("eventfd");
        }
        if (value != 12) {
            return differs("the counter", static_cast<long long>(value), 12);
        }
        if (eventfd_read(fd_, &value) == 0 || errno != EAGAIN) {
            return failed("an empty counter");
        }
        return eventfd_write(fd_, 5) != 0 ? failed("eventfd") : nullptr;
    }

  private:
    int fd_ = -1;
};

// Ticks all the time; none is lost, none is made up.
class TimerFd final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        struct itimerspec timer = {};
        timer.it_value.tv_nsec = period;
        timer.it_interval.tv_nsec = period;
        fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        not_before_ = now_ns();
        if (fd_ < 0 || timerfd_settime(fd_, 0, &timer, nullptr) != 0) {
            return failed("timerfd");
        }
        not_after_ = now_ns();
        return nullptr;
    }

  protected:
    const char* step() override {
        // All that were due before the call it tells, and none that was not due when it was over.
        const int64_t least = (now_ns() - not_after_) / period;
        uint64_t ticks = 0;
        if (read(fd_, &ticks, sizeof ticks) != sizeof ticks || ticks == 0) {
            return failed("read of the timer");
        }
        const int64_t most = (now_ns() - not_before_) / period;
        ticks_ += ticks;
        const auto seen = static_cast<int64_t>(ticks_);
        if (seen < least || seen > most) {
            return differs("ticks", seen, seen < least ? least : most);
        }
        struct itimerspec timer = {};
        if (timerfd_gettime(fd_, &timer) != 0 || timer.it_interval.tv_nsec != period) {
            return failed("timerfd_gettime");
        }
        return nullptr;
    }

  private:
    static constexpr int64_t period = 20000000;
    int fd_ = -1;
    uint64_t ticks_ = 0;
    // The timer has begun between these.
    int64_t not_before_ = 0;
    int64_t not_after_ = 0;
};

// Signals that are blocked and read, with the value that they carry.
class SignalFd final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        sigset_t set;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGUSR1);
        (void)sigaddset(&set, SIGRTMIN + 1);
        fd_ = sigprocmask(SIG_BLOCK, &set, nullptr) != 0
                  ? -1
                  : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd_ < 0 ? failed("signalfd") : nullptr;
    }

  protected:
    const char* step() override {
        struct signalfd_siginfo info = {};
        union sigval value = {};
        value.sival_int = ++turn_;
        if (sigqueue(getpid(), SIGRTMIN + 1, value) != 0 || kill(getpid(), SIGUSR1) != 0) {
            return failed("sigqueue, kill");
        }
        if (read(fd_, &info, sizeof info) != sizeof info || info.ssi_signo != SIGUSR1) {
            return failed("the first signal");
        }
        if (read(fd_, &info, sizeof info) != sizeof info || info.ssi_int != turn_ ||
            info.ssi_pid != static_cast<uint32_t>(getpid())) {
            return differs("value of the signal", info.ssi_int, turn_);
        }
        return read(fd_, &info, sizeof info) != -1 || errno != EAGAIN ? failed("a third signal")
                                                                      : nullptr;
    }

  private:
    int fd_ = -1;
    int turn_ = 0;
};

class Inotify final : public Holder {
  public:
    using Holder::Holder;
    ~Inotify() override {
        if (watch_ > 0) {
            (void)rmdir(folder_);
        }
    }
    const char* hold() override {
        fd_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (fd_ < 0 || mkdtemp(folder_) == nullptr) {
            return failed("inotify");
        }
        (void)snprintf(file_, sizeof file_, "%s/file", folder_);
        watch_ = inotify_add_watch(fd_, folder_, IN_CREATE | IN_DELETE);
        return watch_ < 0 ? failed("inotify_add_watch") : nullptr;
    }

  protected:
    const char* step() override {
        const int made = open(file_, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (made < 0 || close(made) != 0 || unlink(file_) != 0) {
            return failed("a file in the folder");
        }
        const char* wrong = expect(IN_CREATE);
        return wrong != nullptr ? wrong : expect(IN_DELETE);
    }

  private:
    // One event of both sits in each read that has room for one.
    const char* expect(uint32_t mask) const {
        alignas(struct inotify_event) char bytes[sizeof(struct inotify_event) + 16];
        const ssize_t count = read(fd_, bytes, sizeof bytes);
        struct inotify_event event = {};
        memcpy(&event, bytes, sizeof event);
        if (count != sizeof bytes || event.wd != watch_) {
            return failed("read of an event");
        }
        if (event.mask != mask) {
            return differs("mask of the event", event.mask, mask);
        }
        return strcmp(bytes + sizeof event, "file") != 0 ? "name in the event" : nullptr;
    }

    char folder_[32] = "/tmp/mosrig-watch-XXXXXX";
    char file_[64] = {};
    int fd_ = -1;
    int watch_ = -1;
};

const KindOf<EventFd> event_fd("eventfd");
const KindOf<TimerFd> timer_fd("timerfd");
const KindOf<SignalFd> signal_fd("signalfd");
const KindOf<Inotify> inotify_kind("inotify");

}  // namespace
