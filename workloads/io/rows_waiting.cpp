// SPDX-License-Identifier: MIT
//
// Calls that make descriptors of events and wait for descriptors, in their older or their newest
// form, with a mask of signals for the time of the wait.
#include <fcntl.h>
#include <linux/fanotify.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/time.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "rows.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::now_ms;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

// The kernel's own mask: bit n - 1 is signal n.
constexpr uint64_t mask_of(int signal) {
    return uint64_t{1} << (signal - 1);
}

class Waiting final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    ~Waiting() override { (void)unlinkat(folder_.fd(), "file", 0); }

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = count;
        sigset_t blocked;
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGUSR1);
        (void)sigaddset(&blocked, last);
        if (sigaction(SIGUSR1, &action, nullptr) != 0 || sigaction(last, &action, nullptr) != 0 ||
            sigprocmask(SIG_BLOCK, &blocked, nullptr) != 0) {
            return failed("two signals");
        }
        if (pipe2(full_, O_CLOEXEC) != 0 || pipe2(empty_, O_CLOEXEC) != 0 ||
            write(full_[1], "x", 1) != 1 || !folder_.make("/tmp")) {
            return failed("two pipes, a folder in /tmp");
        }
        // In the second word of a set of descriptors.
        return fcntl(full_[0], F_DUPFD, 64 + full_to_read) != 64 + full_to_read ||
                       fcntl(empty_[0], F_DUPFD, 64 + empty_to_read) != 64 + empty_to_read ||
                       fcntl(empty_[1], F_DUPFD, 64 + to_write) != 64 + to_write
                   ? failed("three high descriptors")
                   : nullptr;
    }

  protected:
    const char* act() override {
        static constexpr Row<Waiting> rows[] = {
            {"pipe", &Waiting::make_pipe},        {"select", &Waiting::wait_in_sets},
            {"pselect6", &Waiting::wait_masked},  {"epoll_create", &Waiting::make_set},
            {"epoll_pwait2", &Waiting::wait_set}, {"eventfd", &Waiting::count_events},
            {"signalfd", &Waiting::read_signals}, {"inotify_init", &Waiting::watch_folder},
            {"fanotify_init", &Waiting::notice},
        };
        return judge(*this, rows);
    }

  private:
    // In the last byte of a mask.
    static constexpr int last = 60;
    // Of a set of two words the second: three descriptors, and their bits.
    static constexpr size_t set_size = 16;
    static constexpr int count_of_set = 99;
    static constexpr int full_to_read = 0;
    static constexpr int empty_to_read = 17;
    static constexpr int to_write = 34;
    static constexpr uint64_t bits =
        uint64_t{1} << full_to_read | uint64_t{1} << empty_to_read | uint64_t{1} << to_write;
    static constexpr int64_t soon_ms = 40;
    static constexpr struct timespec soon = {0, soon_ms * 1000000};

    static void count(int /*signal*/) { handled_ = handled_ + 1; }
    // Sends two signals that are blocked, and waits with a mask that lets one of them through.
    void interrupted(Verdict& verdict, long (Waiting::*wait)(const unsigned char* mask),
                     int line = __builtin_LINE()) {
        const int before = handled_;
        const Input mask(mask_of(last));
        verdict.gives(kill(getpid(), SIGUSR1), 0, line);
        verdict.gives(kill(getpid(), last), 0, line);
        verdict.is(handled_, before, line);
        verdict.fails((this->*wait)(mask.at()), EINTR, line);
        verdict.is(handled_, before + 1, line);
        sigset_t after;
        verdict.gives(sigprocmask(SIG_BLOCK, nullptr, &after), 0, line);
        verdict.is(sigismember(&after, SIGUSR1), 1, line);
        const struct timespec none = {};
        verdict.gives(sigtimedwait(&after, nullptr, &none), last, line);
    }
    static void lasted(Verdict& verdict, int64_t begin, int line = __builtin_LINE()) {
        verdict.sees(now_ms() - begin >= soon_ms - 1, line);
    }

    void make_pipe(Verdict& verdict) {
        const Output ends(2 * sizeof(int));
        verdict.gives(call(SYS_pipe, ends.at()), 0);
        verdict.gives(call(SYS_write, ends.get<int>(sizeof(int)), "y", 1), 1);
        char letter = 0;
        verdict.gives(call(SYS_read, ends.get<int>(), &letter, 1), 1);
        verdict.is(letter, 'y');
        verdict.wrote(ends, 2 * sizeof(int));
        verdict.gives(call(SYS_close, ends.get<int>()), 0);
        verdict.gives(call(SYS_close, ends.get<int>(sizeof(int))), 0);
    }

    // All three in each set: of them the call leaves those of which it is true.
    struct Set {
        uint64_t words[2];
    };
    static constexpr Set all_bits = {{0, bits}};
    static constexpr Set no_bits = {{0, 0}};
    struct Sets {
        Sets() {
            for (Output* one : {&reading, &writing, &failing}) {
                one->put(all_bits);
            }
        }
        void judge(Verdict& verdict, int line = __builtin_LINE()) const {
            const Set can_be_read = {{0, uint64_t{1} << full_to_read}};
            const Set can_be_written = {{0, uint64_t{1} << to_write}};
            verdict.sees(reading.holds(&can_be_read, set_size), line);
            verdict.sees(writing.holds(&can_be_written, set_size), line);
            verdict.sees(failing.holds(&no_bits, set_size), line);
            for (const Output* one : {&reading, &writing, &failing}) {
                verdict.wrote(*one, set_size, line);
            }
        }

        Output reading{set_size};
        Output writing{set_size};
        Output failing{set_size};
    };
    void wait_in_sets(Verdict& verdict) {
        const Sets sets;
        Output time(sizeof(struct timeval));
        time.put(timeval{1000, 3});
        verdict.gives(call(SYS_select, count_of_set, sets.reading.at(), sets.writing.at(),
                           sets.failing.at(), time.at()),
                      2);
        sets.judge(verdict);
        // What is left of the time is told.
        const auto left = time.get<struct timeval>();
        verdict.sees(left.tv_sec > 800 && (left.tv_sec < 1000 || left.tv_usec < 3));
        verdict.sees(left.tv_usec >= 0 && left.tv_usec < 1000000);
        verdict.wrote(time, sizeof left);
        const int64_t begin = now_ms();
        const Sets others;
        time.put(timeval{0, soon_ms * 1000});
        verdict.gives(
            call(SYS_select, count_of_set, nullptr, nullptr, others.failing.at(), time.at()), 0);
        lasted(verdict, begin);
        verdict.sees(others.failing.holds(&no_bits, set_size));
        verdict.is(time.get<struct timeval>().tv_usec, 0);
        verdict.fails(call(SYS_select, -1, nullptr, nullptr, nullptr, time.at()), EINVAL);
    }

    // The mask comes with its size, both behind an address.
    long wait_with(const unsigned char* mask) {
        const struct {
            const unsigned char* mask;
            size_t size;
        } pair = {mask, 8};
        const Sets sets;
        const Input argument(pair);
        return call(SYS_pselect6, count_of_set, nullptr, nullptr, sets.failing.at(), nullptr,
                    argument.at());
    }
    void wait_masked(Verdict& verdict) {
        interrupted(verdict, &Waiting::wait_with);
        const Sets sets;
        Output time(sizeof(struct timespec));
        time.put(timespec{1000, 3});
        verdict.gives(call(SYS_pselect6, count_of_set, sets.reading.at(), sets.writing.at(),
                           sets.failing.at(), time.at(), nullptr),
                      2);
        sets.judge(verdict);
        const auto left = time.get<struct timespec>();
        verdict.sees(left.tv_sec > 800 && (left.tv_sec < 1000 || left.tv_nsec < 3));
        verdict.sees(left.tv_nsec >= 0 && left.tv_nsec < 1000000000);
        verdict.wrote(time, sizeof left);
    }

    void make_set(Verdict& verdict) {
        struct epoll_event event = {};
        verdict.fails(call(SYS_epoll_create, 0), EINVAL);
        epoll_ = static_cast<int>(call(SYS_epoll_create, 1));
        event.events = EPOLLIN;
        event.data.u64 = 0x123456789abcdef0;
        verdict.gives(call(SYS_epoll_ctl, epoll_, EPOLL_CTL_ADD, full_[0], Input(event).at()), 0);
        event.data.u64 = 2;
        verdict.gives(call(SYS_epoll_ctl, epoll_, EPOLL_CTL_ADD, empty_[0], Input(event).at()), 0);
        verdict.fails(call(SYS_epoll_ctl, epoll_, EPOLL_CTL_ADD, empty_[0], Input(event).at()),
                      EEXIST);
    }
    long wait_set_with(const unsigned char* mask) {
        const Output events(3 * sizeof(struct epoll_event));
        return call(SYS_epoll_pwait2, epoll_, events.at(), 3, nullptr, mask, 8);
    }
    void wait_set(Verdict& verdict) {
        const Output events(3 * sizeof(struct epoll_event));
        const Output none(3 * sizeof(struct epoll_event));
        const Input time(soon);
        verdict.gives(call(SYS_epoll_pwait2, epoll_, events.at(), 3, time.at(), nullptr, 0), 1);
        const auto event = events.get<struct epoll_event>();
        verdict.is(event.events, EPOLLIN);
        verdict.is(static_cast<long long>(event.data.u64), 0x123456789abcdef0);
        verdict.wrote(events, sizeof event);
        verdict.gives(call(SYS_epoll_ctl, epoll_, EPOLL_CTL_DEL, full_[0], nullptr), 0);
        const int64_t begin = now_ms();
        verdict.gives(call(SYS_epoll_pwait2, epoll_, none.at(), 3, time.at(), nullptr, 0), 0);
        lasted(verdict, begin);
        const struct timespec wrong = {0, -1};
        verdict.fails(call(SYS_epoll_pwait2, epoll_, none.at(), 3, Input(wrong).at(), nullptr, 0),
                      EINVAL);
        verdict.wrote(none, 0);
        interrupted(verdict, &Waiting::wait_set_with);
        verdict.gives(call(SYS_close, epoll_), 0);
    }

    void count_events(Verdict& verdict) {
        const Output value(11);
        const long fd = call(SYS_eventfd, 5);
        verdict.fails(call(SYS_read, fd, value.at(), 7), EINVAL);
        verdict.wrote(value, 0);
        verdict.gives(call(SYS_read, fd, value.at(), 11), 8);
        verdict.is(value.get<int64_t>(), 5);
        verdict.wrote(value, 8);
        verdict.gives(call(SYS_close, fd), 0);
    }

    // A set that is changed later.
    void read_signals(Verdict& verdict) {
        const Input first(mask_of(SIGUSR1));
        const Input second(mask_of(last));
        const long fd = call(SYS_signalfd, -1, first.at(), 8);
        verdict.sees(fd >= 0);
        verdict.gives(call(SYS_signalfd, fd, second.at(), 8), fd);
        verdict.fails(call(SYS_signalfd, -1, first.at(), 7), EINVAL);
        verdict.gives(kill(getpid(), last), 0);
        const Output output(sizeof(struct signalfd_siginfo) + 9);
        verdict.gives(call(SYS_read, fd, output.at(), sizeof(struct signalfd_siginfo) + 9),
                      sizeof(struct signalfd_siginfo));
        const auto info = output.get<struct signalfd_siginfo>();
        verdict.is(info.ssi_signo, last);
        verdict.is(info.ssi_pid, getpid());
        verdict.wrote(output, sizeof info);
        verdict.gives(call(SYS_close, fd), 0);
    }

    void watch_folder(Verdict& verdict) {
        const long fd = call(SYS_inotify_init);
        const Input path(folder_.path(), strlen(folder_.path()) + 1);
        const long watch = call(SYS_inotify_add_watch, fd, path.at(), IN_CREATE);
        verdict.sees(watch > 0);
        verdict.fails(call(SYS_inotify_add_watch, fd, "/no/such", IN_CREATE), ENOENT);
        verdict.gives(call(SYS_mknodat, folder_.fd(), "file", S_IFREG | 0600, 0), 0);
        const Output output(sizeof(struct inotify_event) + 16 + 5);
        verdict.gives(call(SYS_read, fd, output.at(), sizeof(struct inotify_event) + 16 + 5),
                      sizeof(struct inotify_event) + 16);
        const auto event = output.get<struct inotify_event>();
        verdict.is(event.wd, watch);
        verdict.is(event.mask, IN_CREATE);
        verdict.sees(memcmp(output.at() + sizeof event, "file", 5) == 0);
        verdict.wrote(output, sizeof event + 16);
        verdict.gives(call(SYS_inotify_rm_watch, fd, watch), 0);
        verdict.fails(call(SYS_inotify_rm_watch, fd, watch), EINVAL);
        verdict.gives(call(SYS_read, fd, output.at(), sizeof event), sizeof event);
        verdict.is(output.get<struct inotify_event>().mask, IN_IGNORED);
        verdict.gives(call(SYS_close, fd), 0);
        verdict.gives(call(SYS_unlinkat, folder_.fd(), "file", 0), 0);
    }

    void notice(Verdict& verdict) {
        const long fd = call(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
                             O_RDONLY | O_CLOEXEC);
        const Input path(folder_.path(), strlen(folder_.path()) + 1);
        verdict.gives(
            call(SYS_fanotify_mark, fd, FAN_MARK_ADD, FAN_OPEN | FAN_ONDIR, AT_FDCWD, path.at()),
            0);
        verdict.fails(call(SYS_fanotify_mark, fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/no/such"),
                      ENOENT);
        const long opened = call(SYS_open, folder_.path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const Output output(sizeof(struct fanotify_event_metadata) + 7);
        verdict.gives(call(SYS_read, fd, output.at(), sizeof(struct fanotify_event_metadata) + 7),
                      sizeof(struct fanotify_event_metadata));
        const auto event = output.get<struct fanotify_event_metadata>();
        verdict.is(event.pid, getpid());
        verdict.sees((event.mask & FAN_OPEN) != 0);
        verdict.wrote(output, sizeof event);
        for (const long one : {static_cast<long>(event.fd), opened, fd}) {
            verdict.gives(call(SYS_close, one), 0);
        }
    }

    static volatile sig_atomic_t handled_;

    mosrig::guest::OwnFolder folder_;
    int full_[2] = {};
    int empty_[2] = {};
    int epoll_ = -1;
};

volatile sig_atomic_t Waiting::handled_ = 0;

const mosrig::guest::KindOf<Waiting> waiting("rows-waiting");

}  // namespace
