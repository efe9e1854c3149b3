// SPDX-License-Identifier: MIT
//
// Every call about signals: who sends one and with what, which of them wait, how they are taken,
// and on which stack.
#include <unistd.h>

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

// One that is queued, and not only noted; in the last byte of a mask.
constexpr int queued = 60;

// The kernel's own mask.
constexpr uint64_t mask_of(int signal) {
    return uint64_t{1} << (signal - 1);
}

// As the kernel has it, which is shorter than what the C library makes of it.
struct Action {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

class Signals final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    // Both wait until they are taken.
    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = count;
        (void)sigaddset(&action.sa_mask, SIGTERM);
        sigset_t blocked;
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGUSR1);
        (void)sigaddset(&blocked, queued);
        self_ = static_cast<int>(call(SYS_pidfd_open, getpid(), 0));
        return self_ < 0 || sigaction(SIGUSR1, &action, nullptr) != 0 ||
                       sigprocmask(SIG_BLOCK, &blocked, nullptr) != 0
                   ? failed("pidfd_open, sigaction, sigprocmask")
                   : nullptr;
    }

  protected:
    // None is left waiting for the next one.
    const char* act() override {
        static constexpr Row<Signals> rows[] = {
            {"rt_sigaction", &Signals::actions},
            {"rt_sigprocmask", &Signals::masks},
            {"rt_sigtimedwait", &Signals::wait},
            {"kill", &Signals::send},
            {"tkill", &Signals::send_to_thread},
            {"tgkill", &Signals::send_to_thread_of},
            {"rt_sigqueueinfo", &Signals::queue},
            {"rt_tgsigqueueinfo", &Signals::queue_to_thread},
            {"pidfd_send_signal", &Signals::send_by_descriptor},
            {"rt_sigpending", &Signals::pending},
            {"rt_sigsuspend", &Signals::suspend},
            {"sigaltstack", &Signals::stack},
        };
        return judge(*this, rows);
    }

  private:
    static constexpr int nobody = 0x3fffffff;

    static void count(int /*signal*/) { handled_ = handled_ + 1; }

    void actions(Verdict& verdict) {
        const Output known(sizeof(Action));
        verdict.gives(call(SYS_rt_sigaction, SIGUSR1, nullptr, known.at(), 8), 0);
        verdict.sees(known.get<Action>().handler == reinterpret_cast<uint64_t>(&count));
        verdict.is(static_cast<long long>(known.get<Action>().mask), mask_of(SIGTERM));
        verdict.wrote(known, sizeof(Action));
        const Action ignored = {reinterpret_cast<uint64_t>(SIG_IGN), SA_RESTART, 0,
                                mask_of(SIGHUP)};
        const Output before(sizeof ignored);
        const Output after(sizeof ignored);
        const Output none(sizeof ignored);
        const Input wanted(ignored);
        verdict.gives(call(SYS_rt_sigaction, SIGWINCH, wanted.at(), before.at(), 8), 0);
        verdict.is(static_cast<long long>(before.get<Action>().handler), 0);
        verdict.wrote(before, sizeof ignored);
        verdict.gives(call(SYS_rt_sigaction, SIGWINCH, Input(Action{}).at(), after.at(), 8), 0);
        verdict.sees(after.holds(&ignored, sizeof ignored));
        verdict.wrote(after, sizeof ignored);
        verdict.fails(call(SYS_rt_sigaction, SIGKILL, wanted.at(), none.at(), 8), EINVAL);
        verdict.fails(call(SYS_rt_sigaction, SIGWINCH, wanted.at(), none.at(), 7), EINVAL);
        verdict.wrote(none, 0);
    }
    void masks(Verdict& verdict) {
        const Output before(8);
        const Output after(8);
        const Output none(8);
        const uint64_t both = mask_of(SIGUSR1) | mask_of(queued);
        const Input more(mask_of(SIGWINCH));
        const Input wanted(both);
        verdict.gives(call(SYS_rt_sigprocmask, SIG_BLOCK, more.at(), before.at(), 8), 0);
        verdict.is(before.get<int64_t>(), static_cast<int64_t>(both));
        verdict.wrote(before, 8);
        verdict.gives(call(SYS_rt_sigprocmask, SIG_SETMASK, wanted.at(), after.at(), 8), 0);
        verdict.is(after.get<int64_t>(), static_cast<int64_t>(both | mask_of(SIGWINCH)));
        verdict.wrote(after, 8);
        verdict.fails(call(SYS_rt_sigprocmask, 99, more.at(), none.at(), 8), EINVAL);
        verdict.fails(call(SYS_rt_sigprocmask, SIG_BLOCK, more.at(), none.at(), 7), EINVAL);
        verdict.wrote(none, 0);
    }

    // A signal that waits, which must be this one.
    static siginfo_t take(Verdict& verdict, int signal, int line = __builtin_LINE()) {
        const Output info(sizeof(siginfo_t));
        const Input signals(mask_of(SIGUSR1) | mask_of(queued));
        const Input time(timespec{});
        verdict.gives(call(SYS_rt_sigtimedwait, signals.at(), info.at(), time.at(), 8), signal,
                      line);
        verdict.wrote(info, sizeof(siginfo_t), line);
        return info.get<siginfo_t>();
    }
    void wait(Verdict& verdict) {
        constexpr int64_t soon = 30000000;
        const struct timespec some = {0, soon};
        const struct timespec wrong = {0, -1};
        const Output none(sizeof(siginfo_t));
        const Input signals(mask_of(SIGUSR1) | mask_of(queued));
        const Input time(some);
        const int64_t begin = now_ns();
        verdict.fails(call(SYS_rt_sigtimedwait, signals.at(), none.at(), time.at(), 8), EAGAIN);
        verdict.sees(now_ns() - begin >= soon);
        verdict.fails(call(SYS_rt_sigtimedwait, signals.at(), none.at(), Input(wrong).at(), 8),
                      EINVAL);
        verdict.fails(call(SYS_rt_sigtimedwait, signals.at(), none.at(), time.at(), 7), EINVAL);
        verdict.wrote(none, 0);
    }

    static void judge_sender(Verdict& verdict, int signal, int code, int line = __builtin_LINE()) {
        const siginfo_t info = take(verdict, signal, line);
        verdict.is(info.si_signo, signal, line);
        verdict.is(info.si_code, code, line);
        verdict.is(info.si_pid, getpid(), line);
    }
    void send(Verdict& verdict) {
        verdict.gives(call(SYS_kill, getpid(), SIGUSR1), 0);
        judge_sender(verdict, SIGUSR1, SI_USER);
        verdict.fails(call(SYS_kill, getpid(), 99), EINVAL);
    }
    void send_to_thread(Verdict& verdict) {
        verdict.gives(call(SYS_tkill, gettid(), queued), 0);
        judge_sender(verdict, queued, SI_TKILL);
        verdict.fails(call(SYS_tkill, nobody, queued), ESRCH);
    }
    void send_to_thread_of(Verdict& verdict) {
        verdict.gives(call(SYS_tgkill, getpid(), gettid(), queued), 0);
        judge_sender(verdict, queued, SI_TKILL);
        verdict.fails(call(SYS_tgkill, nobody, gettid(), queued), ESRCH);
    }

    // What the sender says of itself is what the receiver hears.
    static siginfo_t telling(uint64_t value) {
        siginfo_t info = {};
        info.si_signo = queued;
        info.si_code = SI_QUEUE;
        info.si_pid = 4711;
        info.si_uid = 4712;
        memcpy(&info.si_value, &value, sizeof value);
        return info;
    }
    static void judge_told(Verdict& verdict, uint64_t value, int line = __builtin_LINE()) {
        const siginfo_t info = take(verdict, queued, line);
        verdict.is(info.si_code, SI_QUEUE, line);
        verdict.is(info.si_pid, 4711, line);
        verdict.is(info.si_uid, 4712, line);
        verdict.sees(reinterpret_cast<uint64_t>(info.si_value.sival_ptr) == value, line);
    }
    // One after the other, as they were sent; nobody may speak for the kernel.
    void queue(Verdict& verdict) {
        siginfo_t false_one = telling(0);
        false_one.si_code = SI_KERNEL;
        for (const uint64_t value : {value_, value_ + 1}) {
            verdict.gives(call(SYS_rt_sigqueueinfo, getpid(), queued, Input(telling(value)).at()),
                          0);
        }
        judge_told(verdict, value_);
        judge_told(verdict, value_ + 1);
        verdict.fails(call(SYS_rt_sigqueueinfo, getppid(), 0, Input(false_one).at()), EPERM);
    }
    void queue_to_thread(Verdict& verdict) {
        const Input info(telling(value_ + 2));
        verdict.gives(call(SYS_rt_tgsigqueueinfo, getpid(), gettid(), queued, info.at()), 0);
        judge_told(verdict, value_ + 2);
        verdict.fails(call(SYS_rt_tgsigqueueinfo, getpid(), nobody, queued, info.at()), ESRCH);
    }
    void send_by_descriptor(Verdict& verdict) {
        siginfo_t other = telling(0);
        other.si_signo = SIGUSR1;
        const Input info(telling(value_ + 3));
        verdict.gives(call(SYS_pidfd_send_signal, self_, queued, info.at(), 0), 0);
        judge_told(verdict, value_ + 3);
        verdict.gives(call(SYS_pidfd_send_signal, self_, SIGUSR1, nullptr, 0), 0);
        judge_sender(verdict, SIGUSR1, SI_USER);
        verdict.fails(call(SYS_pidfd_send_signal, self_, queued, Input(other).at(), 0), EINVAL);
        verdict.fails(call(SYS_pidfd_send_signal, 987, queued, info.at(), 0), EBADF);
    }

    // As much of the set as it is asked for.
    void pending(Verdict& verdict) {
        const Output all(8);
        const Output part(5);
        const Output none(8);
        const uint64_t both = mask_of(SIGUSR1) | mask_of(queued);
        verdict.gives(call(SYS_kill, getpid(), SIGUSR1), 0);
        verdict.gives(call(SYS_kill, getpid(), queued), 0);
        verdict.gives(call(SYS_rt_sigpending, all.at(), 8), 0);
        verdict.is(all.get<int64_t>(), static_cast<int64_t>(both));
        verdict.wrote(all, 8);
        verdict.gives(call(SYS_rt_sigpending, part.at(), 5), 0);
        verdict.sees(part.holds(all.at(), 5));
        verdict.wrote(part, 5);
        verdict.fails(call(SYS_rt_sigpending, none.at(), 9), EINVAL);
        verdict.wrote(none, 0);
        judge_sender(verdict, SIGUSR1, SI_USER);
        judge_sender(verdict, queued, SI_USER);
    }
    // Only the one that the mask lets through is handled, and only for the time of the call.
    void suspend(Verdict& verdict) {
        const int before = handled_;
        verdict.gives(call(SYS_kill, getpid(), SIGUSR1), 0);
        verdict.gives(call(SYS_kill, getpid(), queued), 0);
        verdict.is(handled_, before);
        verdict.fails(call(SYS_rt_sigsuspend, Input(mask_of(queued)).at(), 8), EINTR);
        verdict.is(handled_, before + 1);
        judge_sender(verdict, queued, SI_USER);
        verdict.fails(call(SYS_rt_sigsuspend, Input(mask_of(queued)).at(), 7), EINVAL);
        masks(verdict);
    }

    void stack(Verdict& verdict) {
        stack_t wanted = {};
        wanted.ss_sp = stack_;
        wanted.ss_size = sizeof stack_;
        stack_t disabled = {};
        disabled.ss_flags = SS_DISABLE;
        stack_t little = wanted;
        little.ss_size = 7;
        const Output before(sizeof wanted);
        const Output after(sizeof wanted);
        const Output none(sizeof wanted);
        verdict.gives(call(SYS_sigaltstack, Input(wanted).at(), before.at()), 0);
        verdict.is(before.get<stack_t>().ss_flags, SS_DISABLE);
        verdict.wrote(before, sizeof wanted);
        verdict.fails(call(SYS_sigaltstack, Input(little).at(), none.at()), ENOMEM);
        verdict.wrote(none, 0);
        verdict.gives(call(SYS_sigaltstack, Input(disabled).at(), after.at()), 0);
        verdict.sees(after.get<stack_t>().ss_sp == stack_);
        verdict.is(static_cast<long long>(after.get<stack_t>().ss_size), sizeof stack_);
        verdict.wrote(after, sizeof wanted);
    }

    static constexpr uint64_t value_ = 0x123456789abcdef0;
    static volatile sig_atomic_t handled_;

    int self_ = -1;
    unsigned char stack_[16384] = {};
};

volatile sig_atomic_t Signals::handled_ = 0;

const mosrig::guest::KindOf<Signals> signals("rows-signals");

}  // namespace
