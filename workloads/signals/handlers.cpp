// SPDX-License-Identifier: MIT
//
// Handlers of signals that the process sends itself: their data, their stack, what they block and
// nest, and that what they interrupt goes on unharmed.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

using Handler = void (*)(int, siginfo_t*, void*);

const char* install(int signal, Handler handler, int flags, const sigset_t* mask = nullptr) {
    struct sigaction action = {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    if (mask != nullptr) {
        action.sa_mask = *mask;
    }
    return sigaction(signal, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
}

const char* send(int signal, int data) {
    union sigval value = {};
    value.sival_int = data;
    return sigqueue(getpid(), signal, value) != 0 ? failed("sigqueue") : nullptr;
}

// Data of the signal, and a handler on a stack of its own.
class AlternateStack final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        stack_t stack = {};
        stack.ss_sp = stack_;
        stack.ss_size = sizeof stack_;
        if (sigaltstack(&stack, nullptr) != 0) {
            return failed("sigaltstack");
        }
        return install(SIGUSR1, take, SA_ONSTACK);
    }

  protected:
    const char* step() override {
        volatile double kept[4] = {1.5, 2.25, 3.125, 4.0625};
        seen_ = {};
        ++turn_;
        if (const char* wrong = send(SIGUSR1, turn_); wrong != nullptr) {
            return wrong;
        }
        if (seen_.count != 1 || seen_.value != turn_) {
            return differs("value of the signal", seen_.value, turn_);
        }
        if (!seen_.on_stack) {
            return "the handler did not run on its stack";
        }
        if (seen_.pid != getpid() || seen_.uid != static_cast<int>(getuid())) {
            return differs("sender", seen_.pid, getpid());
        }
        if (kept[0] + kept[1] + kept[2] + kept[3] != 10.9375) {
            return "floating point after the handler";
        }
        stack_t now = {};
        return sigaltstack(nullptr, &now) != 0 || now.ss_sp != stack_ || now.ss_flags != 0
                   ? failed("sigaltstack afterwards")
                   : nullptr;
    }

  private:
    struct Seen {
        int count;
        int value;
        int pid;
        int uid;
        bool on_stack;
    };

    static void take(int /*signal*/, siginfo_t* info, void* /*context*/) {
        // It uses what it interrupted may have in the very same registers.
        volatile double other = info->si_value.sival_int;
        for (int step = 0; step < 10; ++step) {
            other = other * 1.0001 + 3;
        }
        const auto here = reinterpret_cast<uintptr_t>(&other);
        const auto stack = reinterpret_cast<uintptr_t>(stack_);
        seen_ = {seen_.count + 1, info->si_value.sival_int, info->si_pid,
                 static_cast<int>(info->si_uid), here - stack < sizeof stack_};
    }

    static inline unsigned char stack_[65536];
    static inline Seen seen_;
    int turn_ = 0;
};

// What a handler blocks waits, what it does not nests; SA_RESETHAND is for once.
class Nested final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        sigset_t mask;
        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGUSR2);
        const char* wrong = install(SIGUSR1, outer, 0, &mask);
        wrong = wrong != nullptr ? wrong : install(SIGUSR2, note, 0);
        wrong = wrong != nullptr ? wrong : install(SIGWINCH, note, 0);
        return wrong != nullptr ? wrong : install(SIGURG, deep, SA_NODEFER);
    }

  protected:
    const char* step() override {
        log_[0] = '\0';
        depth_ = 0;
        (void)raise(SIGUSR1);
        // USR2 is blocked until the outer one returns, WINCH is not.
        if (strcmp(log_, "(w)2") != 0) {
            return mosrig::guest::reads("the order of nested handlers", log_);
        }
        (void)raise(SIGURG);
        if (depth_ != 5) {
            return differs("depth of a handler within itself", depth_, 5);
        }
        const char* wrong = install(SIGIO, note, static_cast<int>(SA_RESETHAND));
        struct sigaction now = {};
        (void)raise(SIGIO);
        if (wrong != nullptr || sigaction(SIGIO, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) {
            return failed("SA_RESETHAND");
        }
        return nullptr;
    }

  private:
    static void put(char letter) {
        const size_t length = strlen(log_);
        log_[length] = letter;
        log_[length + 1] = '\0';
    }
    static void outer(int /*signal*/, siginfo_t* /*info*/, void* /*context*/) {
        put('(');
        (void)raise(SIGUSR2);
        (void)raise(SIGWINCH);
        put(')');
    }
    static void note(int signal, siginfo_t* /*info*/, void* /*context*/) {
        put(signal == SIGUSR2 ? '2' : signal == SIGWINCH ? 'w' : 'i');
    }
    static void deep(int signal, siginfo_t* /*info*/, void* /*context*/) {
        depth_ = depth_ + 1;
        if (depth_ < 5) {
            (void)raise(signal);
        }
    }

    static inline char log_[64];
    static inline volatile sig_atomic_t depth_;
};

// Signals that are blocked, pending, and waited for.
class Blocked final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        (void)sigemptyset(&set_);
        (void)sigaddset(&set_, SIGRTMIN + 2);
        (void)sigaddset(&set_, SIGUSR1);
        return sigprocmask(SIG_BLOCK, &set_, nullptr) != 0 ? failed("sigprocmask")
                                                           : install(SIGUSR1, note, 0);
    }

  protected:
    const char* step() override {
        constexpr int count = 20;
        sigset_t pending;
        siginfo_t info = {};
        for (int at = 0; at < count; ++at) {
            if (const char* wrong = send(SIGRTMIN + 2, at); wrong != nullptr) {
                return wrong;
            }
        }
        if (sigpending(&pending) != 0 || sigismember(&pending, SIGRTMIN + 2) != 1 ||
            sigismember(&pending, SIGUSR1) != 0) {
            return failed("sigpending");
        }
        for (int at = 0; at < count; ++at) {
            if (sigwaitinfo(&set_, &info) != SIGRTMIN + 2 || info.si_value.sival_int != at) {
                return differs("order of queued signals", info.si_value.sival_int, at);
            }
        }
        const struct timespec wait = {0, 20000000};
        if (sigtimedwait(&set_, &info, &wait) != -1 || errno != EAGAIN) {
            return failed("sigtimedwait for nothing");
        }
        noted_ = 0;
        sigset_t all_but;
        (void)sigfillset(&all_but);
        (void)sigdelset(&all_but, SIGUSR1);
        (void)raise(SIGUSR1);
        if (noted_ != 0 || sigsuspend(&all_but) != -1 || errno != EINTR || noted_ != 1) {
            return failed("sigsuspend");
        }
        return nullptr;
    }

  private:
    static void note(int /*signal*/, siginfo_t* /*info*/, void* /*context*/) {
        noted_ = noted_ + 1;
    }

    static inline volatile sig_atomic_t noted_;
    sigset_t set_ = {};
};

// Faults of the program itself, each with its code and its address; the handler mends the cause, or
// leaves by a long jump.
class Faults final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        void* const view = mmap(nullptr, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = view;
        page_ = static_cast<unsigned char*>(view);
        for (const int signal : {SIGSEGV, SIGFPE, SIGILL, SIGTRAP}) {
            if (const char* wrong = install(signal, take, 0); wrong != nullptr) {
                return wrong;
            }
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        const char* wrong = mended();
        wrong = wrong != nullptr ? wrong : unmapped();
        wrong = wrong != nullptr ? wrong : divided();
        return wrong != nullptr ? wrong : trapped();
    }

  private:
    static constexpr size_t page_size = 4096;

    // A write to a page that may only be read: the handler allows it, and the write is done.
    const char* mended() {
        mend_ = view_;
        seen_ = {};
        page_[17] = static_cast<unsigned char>(++turn_);
        asm volatile("" ::: "memory");  // the handler has written what is read below
        mend_ = nullptr;
        if (seen_.si_signo != SIGSEGV || seen_.si_code != SEGV_ACCERR) {
            return differs("code of a write to a read-only page", seen_.si_code, SEGV_ACCERR);
        }
        if (seen_.si_addr != page_ + 17) {
            return "the address of the fault";
        }
        if (page_[17] != static_cast<unsigned char>(turn_)) {
            return "the write was not done";
        }
        return mprotect(view_, page_size, PROT_READ) != 0 ? failed("mprotect") : nullptr;
    }

    static const char* unmapped() {
        auto* const nowhere = reinterpret_cast<volatile int*>(0x1234);  // NOLINT
        if (sigsetjmp(back_, 1) == 0) {
            *nowhere = 1;
            return "a write to nowhere did not fault";
        }
        if (seen_.si_code != SEGV_MAPERR || seen_.si_addr != nowhere) {
            return differs("code of a write to nowhere", seen_.si_code, SEGV_MAPERR);
        }
        return nullptr;
    }

    static const char* divided() {
        if (sigsetjmp(back_, 1) == 0) {
            asm volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; idiv %%ecx" ::
                             : "eax", "ecx", "edx", "cc");
            return "a division by zero did not fault";
        }
        if (seen_.si_signo != SIGFPE || seen_.si_code != FPE_INTDIV) {
            return differs("code of a division by zero", seen_.si_code, FPE_INTDIV);
        }
        if (sigsetjmp(back_, 1) == 0) {
            asm volatile("ud2");
            return "no instruction at all did not fault";
        }
        return seen_.si_signo != SIGILL
                   ? differs("signal of no instruction", seen_.si_signo, SIGILL)
                   : nullptr;
    }

    // A breakpoint is past its instruction: the program goes on behind it.
    static const char* trapped() {
        seen_ = {};
        asm volatile("int3" ::: "memory");
        return seen_.si_signo != SIGTRAP
                   ? differs("signal of a breakpoint", seen_.si_signo, SIGTRAP)
                   : nullptr;
    }

    static void take(int signal, siginfo_t* info, void* /*context*/) {
        seen_ = *info;
        if (signal == SIGTRAP) {
            return;
        }
        if (mend_ != nullptr) {
            (void)mprotect(mend_, page_size, PROT_READ | PROT_WRITE);
            return;
        }
        siglongjmp(back_, 1);
    }

    static inline siginfo_t seen_;
    static inline sigjmp_buf back_;
    static inline void* volatile mend_;
    void* view_ = nullptr;
    volatile unsigned char* page_ = nullptr;
    int turn_ = 0;
};

const KindOf<AlternateStack> alternate_stack("alternate-stack");
const KindOf<Nested> nested("nested");
const KindOf<Blocked> blocked("blocked");
const KindOf<Faults> faults("faults");

}  // namespace
