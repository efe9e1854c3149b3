// SPDX-License-Identifier: MIT
//
// Clocks and timers: what they show, what is left of them, and what was set before. No clock is
// set: those calls are told what no clock may show.
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>

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
using mosrig::guest::now_ns;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

constexpr int64_t second = 1000000000;

int64_t nanoseconds(const struct timespec& time) {
    return time.tv_sec * second + time.tv_nsec;
}

int64_t nanoseconds(const struct timeval& time) {
    return time.tv_sec * second + time.tv_usec * 1000;
}

class Time final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    const char* hold() override {
        sigset_t blocked;
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGUSR1);
        file_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        return sigprocmask(SIG_BLOCK, &blocked, nullptr) != 0 || file_ < 0
                   ? failed("sigprocmask, timerfd_create")
                   : nullptr;
    }

  protected:
    const char* act() override {
        static constexpr Row<Time> rows[] = {
            {"time", &Time::seconds},
            {"gettimeofday", &Time::microseconds},
            {"clock_gettime", &Time::clocks},
            {"clock_getres", &Time::resolution},
            {"adjtimex", &Time::discipline},
            {"clock_adjtime", &Time::discipline_of_clock},
            {"settimeofday", &Time::set_no_time},
            {"clock_settime", &Time::set_no_clock},
            {"nanosleep", &Time::sleep},
            {"clock_nanosleep", &Time::sleep_until},
            {"times", &Time::ticks},
            {"alarm", &Time::bell},
            {"setitimer", &Time::interval},
            {"getitimer", &Time::rest_of_interval},
            {"timer_create", &Time::make_timer},
            {"timer_settime", &Time::set_timer},
            {"timer_gettime", &Time::rest_of_timer},
            {"timer_getoverrun", &Time::overrun},
            {"timer_delete", &Time::drop_timer},
            {"timerfd_settime", &Time::set_file},
            {"timerfd_gettime", &Time::rest_of_file},
        };
        const char* const wrong = judge(*this, rows);
        // Another user's process is not to be looked into, and it was one.
        return wrong == nullptr && prctl(PR_SET_DUMPABLE, 1) != 0 ? failed("PR_SET_DUMPABLE")
                                                                  : wrong;
    }

  private:
    // Longer than any case takes.
    static constexpr time_t hour = 3600;
    static constexpr int64_t soon = 30000000;

    // A time of the wall that was told between then and now, at least to the microsecond.
    static void judge_now(Verdict& verdict, int64_t seen, int64_t begin,
                          int line = __builtin_LINE()) {
        verdict.sees(seen > begin - 1000, line);
        verdict.sees(seen <= now_ns(CLOCK_REALTIME), line);
    }
    // What is left of an hour.
    static void judge_rest(Verdict& verdict, int64_t rest, int line = __builtin_LINE()) {
        verdict.sees(rest > (hour - 600) * second && rest <= hour * second, line);
    }

    void seconds(Verdict& verdict) {
        const int64_t begin = now_ns(CLOCK_REALTIME);
        const Output output(sizeof(time_t));
        const long seen = call(SYS_time, output.at());
        verdict.is(output.get<time_t>(), seen);
        // It knows only ticks, so it may be one behind.
        verdict.sees(seen >= begin / second - 1 && seen <= now_ns(CLOCK_REALTIME) / second);
        verdict.wrote(output, sizeof(time_t));
    }
    void microseconds(Verdict& verdict) {
        const int64_t begin = now_ns(CLOCK_REALTIME);
        const Output time(sizeof(struct timeval));
        const Output zone(sizeof(struct timezone));
        verdict.gives(call(SYS_gettimeofday, time.at(), zone.at()), 0);
        judge_now(verdict, nanoseconds(time.get<struct timeval>()), begin);
        const auto seen = zone.get<struct timezone>();
        verdict.sees(seen.tz_minuteswest >= -15 * 60 && seen.tz_minuteswest <= 15 * 60);
        verdict.is(seen.tz_dsttime, 0);
        verdict.wrote(time, sizeof(struct timeval));
        verdict.wrote(zone, sizeof(struct timezone));
    }
    void clocks(Verdict& verdict) {
        const Output wall(sizeof(struct timespec));
        const Output none(sizeof(struct timespec));
        const int64_t begin = now_ns(CLOCK_REALTIME);
        verdict.gives(call(SYS_clock_gettime, CLOCK_REALTIME, wall.at()), 0);
        judge_now(verdict, nanoseconds(wall.get<struct timespec>()), begin);
        verdict.wrote(wall, sizeof(struct timespec));
        const Output booted(sizeof(struct timespec));
        const int64_t before = now_ns(CLOCK_BOOTTIME);
        verdict.gives(call(SYS_clock_gettime, CLOCK_BOOTTIME, booted.at()), 0);
        const int64_t seen = nanoseconds(booted.get<struct timespec>());
        verdict.sees(seen >= before && seen <= now_ns(CLOCK_BOOTTIME));
        verdict.wrote(booted, sizeof(struct timespec));
        verdict.fails(call(SYS_clock_gettime, 99, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    void resolution(Verdict& verdict) {
        const Output output(sizeof(struct timespec));
        const Output none(sizeof(struct timespec));
        verdict.gives(call(SYS_clock_getres, CLOCK_REALTIME_COARSE, output.at()), 0);
        const int64_t seen = nanoseconds(output.get<struct timespec>());
        verdict.sees(seen > 0 && seen <= second / 100);
        verdict.wrote(output, sizeof(struct timespec));
        verdict.gives(call(SYS_clock_getres, CLOCK_MONOTONIC, nullptr), 0);
        verdict.fails(call(SYS_clock_getres, 99, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }

    // It is asked for nothing but what there is. Who fills nothing into the last words leaves them.
    struct Discipline {
        Discipline() {
            memset(reinterpret_cast<unsigned char*>(&wanted) + sizeof wanted - 8, 7, 8);
            output.put(wanted);
        }
        void judge(Verdict& verdict, int line = __builtin_LINE()) const {
            const auto seen = output.get<struct timex>();
            const int64_t part = (seen.status & STA_NANO) != 0 ? 1 : 1000;
            judge_now(verdict, seen.time.tv_sec * second + seen.time.tv_usec * part, begin, line);
            verdict.sees(seen.tick >= 9000 && seen.tick <= 11000, line);
            verdict.sees(seen.precision > 0 && seen.tolerance > 0, line);
            verdict.is(output.get<int64_t>(sizeof seen - 8), 0x0707070707070707, line);
            verdict.wrote(output, sizeof seen, line);
        }

        struct timex wanted = {};
        Output output{sizeof wanted};
        int64_t begin = now_ns(CLOCK_REALTIME);
    };
    void discipline(Verdict& verdict) {
        const Discipline now;
        verdict.sees(call(SYS_adjtimex, now.output.at()) >= 0);
        now.judge(verdict);
    }
    void discipline_of_clock(Verdict& verdict) {
        const Discipline now;
        verdict.sees(call(SYS_clock_adjtime, CLOCK_REALTIME, now.output.at()) >= 0);
        now.judge(verdict);
        Discipline none;
        none.wanted.modes = ADJ_TICK;
        none.wanted.tick = 1;
        none.output.put(none.wanted);
        verdict.fails(call(SYS_clock_adjtime, CLOCK_REALTIME, none.output.at()), EINVAL);
    }
    // Of a user who must not, only a time that there may be is refused for that. The time zone is
    // looked at last.
    void set_no_time(Verdict& verdict) {
        const struct timeval none = {1, 1000001};
        const struct timeval some = {1, 0};
        const struct timezone zone = {1000, 0};
        become(verdict, 77);
        verdict.fails(call(SYS_settimeofday, Input(none).at(), nullptr), EINVAL);
        verdict.fails(call(SYS_settimeofday, Input(some).at(), nullptr), EPERM);
        become(verdict, 0);
        verdict.fails(call(SYS_settimeofday, nullptr, Input(zone).at()), EINVAL);
    }
    void set_no_clock(Verdict& verdict) {
        const struct timespec none = {1, 2000000000};
        const struct timespec some = {1, 0};
        become(verdict, 77);
        verdict.fails(call(SYS_clock_settime, CLOCK_REALTIME, Input(none).at()), EINVAL);
        verdict.fails(call(SYS_clock_settime, CLOCK_REALTIME, Input(some).at()), EPERM);
        verdict.fails(call(SYS_clock_settime, 99, Input(some).at()), EINVAL);
        become(verdict, 0);
    }
    static void become(Verdict& verdict, uid_t user, int line = __builtin_LINE()) {
        verdict.gives(seteuid(user), 0, line);
    }

    void sleep(Verdict& verdict) {
        const struct timespec time = {0, soon};
        const struct timespec wrong = {0, -1};
        const Output rest(sizeof time);
        const int64_t begin = now_ns();
        verdict.gives(call(SYS_nanosleep, Input(time).at(), rest.at()), 0);
        verdict.sees(now_ns() - begin >= soon);
        // Nothing is left, and nobody says so.
        verdict.wrote(rest, 0);
        verdict.fails(call(SYS_nanosleep, Input(wrong).at(), rest.at()), EINVAL);
    }
    void sleep_until(Verdict& verdict) {
        const int64_t end = now_ns() + soon;
        const struct timespec time = {end / second, end % second};
        const Output rest(sizeof time);
        verdict.gives(
            call(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, Input(time).at(), rest.at()),
            0);
        verdict.sees(now_ns() >= end);
        verdict.wrote(rest, 0);
        verdict.fails(call(SYS_clock_nanosleep, 99, 0, Input(time).at(), nullptr), EINVAL);
    }
    void ticks(Verdict& verdict) {
        const Output output(sizeof(struct tms));
        const long first = call(SYS_times, output.at());
        const auto used = output.get<struct tms>();
        verdict.sees(used.tms_utime >= 0 && used.tms_stime >= 0 &&
                     used.tms_utime + used.tms_stime < first);
        verdict.is(used.tms_cutime + used.tms_cstime, 0);
        verdict.wrote(output, sizeof used);
        verdict.sees(call(SYS_times, nullptr) >= first);
    }

    // Of one and the same timer two calls speak.
    void bell(Verdict& verdict) {
        verdict.gives(call(SYS_alarm, hour), 0);
        const long rest = call(SYS_alarm, 0);
        verdict.sees(rest > hour - 600 && rest <= hour);
    }
    void interval(Verdict& verdict) {
        const struct itimerval wanted = {{7, 9}, {hour, 0}};
        const struct itimerval wrong = {{0, 0}, {1, -1}};
        const Output before(sizeof wanted);
        const Output none(sizeof wanted);
        verdict.gives(call(SYS_setitimer, ITIMER_REAL, Input(wanted).at(), before.at()), 0);
        verdict.is(nanoseconds(before.get<struct itimerval>().it_value), 0);
        verdict.wrote(before, sizeof wanted);
        verdict.fails(call(SYS_setitimer, ITIMER_REAL, Input(wrong).at(), none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    static void judge_interval(Verdict& verdict, const Output& output,
                               int line = __builtin_LINE()) {
        const auto timer = output.get<struct itimerval>();
        judge_rest(verdict, nanoseconds(timer.it_value), line);
        verdict.is(nanoseconds(timer.it_interval), 7 * second + 9000, line);
        verdict.wrote(output, sizeof timer, line);
    }
    void rest_of_interval(Verdict& verdict) {
        const Output now(sizeof(struct itimerval));
        const Output last(sizeof(struct itimerval));
        const Output none(sizeof(struct itimerval));
        verdict.gives(call(SYS_getitimer, ITIMER_REAL, now.at()), 0);
        judge_interval(verdict, now);
        verdict.gives(call(SYS_setitimer, ITIMER_REAL, nullptr, last.at()), 0);
        judge_interval(verdict, last);
        verdict.fails(call(SYS_getitimer, 99, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }

    void make_timer(Verdict& verdict) {
        struct sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGUSR1;
        event.sigev_value.sival_ptr = this;
        const Output output(4);
        const Output none(4);
        verdict.gives(call(SYS_timer_create, CLOCK_MONOTONIC, Input(event).at(), output.at()), 0);
        timer_ = output.get<int>();
        verdict.wrote(output, 4);
        event.sigev_signo = 99;
        verdict.fails(call(SYS_timer_create, CLOCK_MONOTONIC, Input(event).at(), none.at()),
                      EINVAL);
        verdict.wrote(none, 0);
    }
    void set_timer(Verdict& verdict) {
        const struct itimerspec wanted = {{7, 9}, {hour, 0}};
        const struct itimerspec wrong = {{0, 0}, {1, second}};
        const Output before(sizeof wanted);
        const Output none(sizeof wanted);
        verdict.gives(call(SYS_timer_settime, timer_, 0, Input(wanted).at(), before.at()), 0);
        verdict.is(nanoseconds(before.get<struct itimerspec>().it_value), 0);
        verdict.wrote(before, sizeof wanted);
        verdict.fails(call(SYS_timer_settime, timer_, 0, Input(wrong).at(), none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    static void judge_timer(Verdict& verdict, const Output& output, int line = __builtin_LINE()) {
        const auto timer = output.get<struct itimerspec>();
        judge_rest(verdict, nanoseconds(timer.it_value), line);
        verdict.is(nanoseconds(timer.it_interval), 7 * second + 9, line);
        verdict.wrote(output, sizeof timer, line);
    }
    void rest_of_timer(Verdict& verdict) {
        const Output output(sizeof(struct itimerspec));
        verdict.gives(call(SYS_timer_gettime, timer_, output.at()), 0);
        judge_timer(verdict, output);
    }
    // It expires all the time; the one signal that waits says how often that was.
    void overrun(Verdict& verdict) {
        const struct itimerspec often = {{0, 1000000}, {0, 1000000}};
        const struct itimerspec never = {};
        const struct timespec time = {0, soon};
        const struct timespec no_time = {};
        const Output before(sizeof often);
        const Output info(sizeof(siginfo_t));
        const Input signals(uint64_t{1} << (SIGUSR1 - 1));
        verdict.gives(call(SYS_timer_settime, timer_, 0, Input(often).at(), before.at()), 0);
        judge_timer(verdict, before);
        verdict.gives(call(SYS_nanosleep, Input(time).at(), nullptr), 0);
        verdict.gives(call(SYS_rt_sigtimedwait, signals.at(), info.at(), Input(no_time).at(), 8),
                      SIGUSR1);
        const auto seen = info.get<siginfo_t>();
        verdict.is(seen.si_code, SI_TIMER);
        verdict.sees(seen.si_value.sival_ptr == this && seen.si_overrun > 0);
        verdict.gives(call(SYS_timer_getoverrun, timer_), seen.si_overrun);
        verdict.gives(call(SYS_timer_settime, timer_, 0, Input(never).at(), nullptr), 0);
        // One may be on its way from the time before that.
        while (call(SYS_rt_sigtimedwait, signals.at(), nullptr, Input(no_time).at(), 8) ==
               SIGUSR1) {
        }
        verdict.sees(errno == EAGAIN);
    }
    void drop_timer(Verdict& verdict) {
        const Output none(sizeof(struct itimerspec));
        verdict.gives(call(SYS_timer_delete, timer_), 0);
        verdict.fails(call(SYS_timer_delete, timer_), EINVAL);
        verdict.fails(call(SYS_timer_gettime, timer_, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }

    void set_file(Verdict& verdict) {
        const struct itimerspec never = {};
        const struct itimerspec wanted = {{7, 9}, {hour, 0}};
        const Output before(sizeof wanted);
        const Output none(sizeof wanted);
        verdict.gives(call(SYS_timerfd_settime, file_, 0, Input(never).at(), nullptr), 0);
        verdict.gives(call(SYS_timerfd_settime, file_, 0, Input(wanted).at(), before.at()), 0);
        verdict.is(nanoseconds(before.get<struct itimerspec>().it_value), 0);
        verdict.wrote(before, sizeof wanted);
        verdict.fails(call(SYS_timerfd_settime, 987, 0, Input(wanted).at(), none.at()), EBADF);
        verdict.wrote(none, 0);
    }
    void rest_of_file(Verdict& verdict) {
        const struct itimerspec never = {};
        const Output now(sizeof never);
        const Output last(sizeof never);
        verdict.gives(call(SYS_timerfd_gettime, file_, now.at()), 0);
        judge_timer(verdict, now);
        verdict.gives(call(SYS_timerfd_settime, file_, 0, Input(never).at(), last.at()), 0);
        judge_timer(verdict, last);
    }

    int timer_ = -1;
    int file_ = -1;
};

const mosrig::guest::KindOf<Time> time_kind("rows-time");

}  // namespace
