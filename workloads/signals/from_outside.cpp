// SPDX-License-Identifier: MIT
//
// Signals that a child sends, while this process computes, or sleeps in a call: none is lost, none
// is doubled, and the call goes on or ends as its flags say.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "workloads/lib/await.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"
#include "workloads/lib/tally.h"

namespace {

using mosrig::guest::await;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::state_of;

// Signals with numbers, sent while the parent waits for the child's answer.
class Flood final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_sigaction = take;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        if (sigaction(SIGRTMIN + 4, &action, nullptr) != 0 ||
            sigaction(SIGUSR1, &action, nullptr) != 0) {
            return failed("sigaction");
        }
        return helper_.start(flood, flood, nullptr);
    }

  protected:
    const char* step() override {
        next_ = 0;
        lost_ = 0;
        plain_ = 0;
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        // Some may still be on their way, but not for long.
        (void)await([] { return next_ + lost_ >= count; });
        if (next_ != count || lost_ != 0) {
            return differs("numbered signals, in their order", next_, count);
        }
        // Of these, one that is not yet taken swallows the next.
        return plain_ < 1 || plain_ > count ? differs("plain signals", plain_, count) : nullptr;
    }

  private:
    static constexpr int count = 30;

    static const char* flood(void* /*data*/) {
        for (int at = 0; at < count; ++at) {
            union sigval value = {};
            value.sival_int = at;
            if (sigqueue(getppid(), SIGRTMIN + 4, value) != 0 || kill(getppid(), SIGUSR1) != 0) {
                return failed("sigqueue");
            }
        }
        return nullptr;
    }

    static void take(int signal, siginfo_t* info, void* /*context*/) {
        if (signal == SIGUSR1) {
            plain_ = plain_ + 1;
        } else if (info->si_value.sival_int == next_) {
            next_ = next_ + 1;
        } else {
            lost_ = lost_ + 1;
        }
    }

    static inline volatile sig_atomic_t next_;
    static inline volatile sig_atomic_t lost_;
    static inline volatile sig_atomic_t plain_;
    mosrig::guest::Helper helper_;
};

// The child waits until the parent sleeps in a call, sends a signal, waits until the handler has
// run, and only then provides what the call waits for.
class Interrupted final : public Holder {
  public:
    using Holder::Holder;
    ~Interrupted() override {
        if (child_ > 0) {
            (void)kill(child_, SIGKILL);
            (void)waitpid(child_, nullptr, 0);
        }
    }

    const char* hold() override {
        if (pipe2(order_, O_CLOEXEC) != 0 || pipe2(handled_, O_CLOEXEC) != 0 ||
            pipe2(data_, O_CLOEXEC) != 0) {
            return failed("pipe");
        }
        note_to_ = handled_[1];
        child_ = fork();
        if (child_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            disturb();
        }
        return child_ < 0 ? failed("fork") : nullptr;
    }

  protected:
    const char* step() override {
        const char* wrong = reading(SA_RESTART);
        wrong = wrong != nullptr ? wrong : reading(0);
        return wrong != nullptr ? wrong : sleeping();
    }

  private:
    // Where the handler finds the process: a call that is to go on begins anew afterwards.
    static bool is_before_read(const greg_t* registers) {
        static constexpr unsigned char call_instruction[] = {0x0F, 0x05};
        const auto* const next = reinterpret_cast<const void*>(registers[REG_RIP]);  // NOLINT
        return registers[REG_RAX] == SYS_read &&
               memcmp(next, call_instruction, sizeof call_instruction) == 0;
    }

    static void take(int /*signal*/, siginfo_t* /*info*/, void* context) {
        restarts_ = is_before_read(static_cast<ucontext_t*>(context)->uc_mcontext.gregs) ? 1 : 0;
        (void)!write(note_to_, "h", 1);
    }

    static const char* handle(int flags) {
        struct sigaction action = {};
        action.sa_sigaction = take;
        action.sa_flags = SA_SIGINFO | flags;
        return sigaction(SIGUSR1, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
    }

    // The child has seen the process in the call; but to get its memory it may leave that for an
    // instant, and a signal that comes then is no proof.
    static constexpr int tries = 10;

    const char* reading(int flags) {
        const bool goes_on = (flags & SA_RESTART) != 0;
        if (const char* wrong = handle(flags); wrong != nullptr) {
            return wrong;
        }
        for (int attempt = 0; attempt < tries; ++attempt) {
            char letter = 0;
            restarts_ = 0;
            if (!order('r')) {
                return failed("order");
            }
            const ssize_t got = read(data_[0], &letter, 1);
            const bool ended = got == -1 && errno == EINTR;
            if (ended && goes_on) {
                return "a read that is to be restarted was not";
            }
            if (!ended && got != 1) {
                return failed("read that was interrupted");
            }
            if (const char* wrong = ended ? provided() : disturbed(letter); wrong != nullptr) {
                return wrong;
            }
            if (goes_on ? restarts_ != 0 : ended) {
                return nullptr;
            }
        }
        return goes_on ? "a signal never comes during a read" : "a signal never ends a read";
    }

    // A sleep ends with the signal and says how much was left.
    const char* sleeping() {
        for (int attempt = 0; attempt < tries; ++attempt) {
            const struct timespec wanted = {5, 0};
            struct timespec left = {};
            if (!order('s')) {
                return failed("order");
            }
            const int result = nanosleep(&wanted, &left);
            const bool ended = result == -1 && errno == EINTR;
            if (result != 0 && !ended) {
                return failed("sleep that was interrupted");
            }
            if (const char* wrong = provided(); wrong != nullptr) {
                return wrong;
            }
            if (ended) {
                return left.tv_sec > 5 || left.tv_sec + left.tv_nsec <= 0
                           ? differs("seconds left of a sleep", left.tv_sec, 4)
                           : nullptr;
            }
        }
        return "a signal never ends a sleep";
    }

    [[nodiscard]] bool order(char letter) const { return write(order_[1], &letter, 1) == 1; }

    // What the child provides once it has done its part, or could not.
    [[nodiscard]] const char* provided() const {
        char letter = 0;
        return read(data_[0], &letter, 1) != 1 ? failed("read of what was provided")
                                               : disturbed(letter);
    }
    static const char* disturbed(char letter) {
        switch (letter) {
            case 'd':
                return nullptr;
            case 'w':
                return "it is not seen to wait in the call";
            case 'h':
                return "the handler of a signal has not run";
            default:
                return differs("what the child says", letter, 'd');
        }
    }

    [[noreturn]] void disturb() const {
        char letter = 0;
        while (read(order_[0], &letter, 1) == 1) {
            const char done = disturb_once(letter == 'r' ? "pipe_read" : "nanosleep");
            if (write(data_[1], &done, 1) != 1) {
                _exit(1);
            }
        }
        _exit(0);
    }
    [[nodiscard]] char disturb_once(const char* function) const {
        constexpr int patience_ms = 20000;
        struct pollfd handled = {handled_[0], POLLIN, 0};
        char letter = 0;
        if (mosrig::guest::await_within(getppid(), function) != nullptr) {
            return 'w';
        }
        return kill(getppid(), SIGUSR1) == 0 && poll(&handled, 1, patience_ms) == 1 &&
                       read(handled_[0], &letter, 1) == 1
                   ? 'd'
                   : 'h';
    }

    static inline int note_to_;
    static inline volatile sig_atomic_t restarts_;
    int order_[2] = {};
    int handled_[2] = {};
    int data_[2] = {};
    pid_t child_ = -1;
};

// Stopped and let go on, while it sleeps in a call and has no idea of it.
class Stopped final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { continued_ = continued_ + 1; };
        action.sa_flags = SA_RESTART;
        return sigaction(SIGCONT, &action, nullptr) != 0 ? failed("sigaction")
                                                         : helper_.start(stop, stop, nullptr);
    }

  protected:
    const char* step() override {
        continued_ = 0;
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        return continued_ != 1 ? differs("signals to go on", continued_, 1) : nullptr;
    }

  private:
    static const char* stop(void* /*data*/) {
        const pid_t parent = getppid();
        if (kill(parent, SIGSTOP) != 0) {
            return failed("SIGSTOP");
        }
        if (!mosrig::guest::await_state(parent, 'T')) {
            return "it does not stop";
        }
        if (kill(parent, SIGCONT) != 0) {
            return failed("SIGCONT");
        }
        return await([parent] { return state_of(parent) != 'T'; }) ? nullptr : "it does not go on";
    }

    static inline volatile sig_atomic_t continued_;
    mosrig::guest::Helper helper_;
};

// Counts what anyone sends.
class Tally final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return mosrig::guest::count_signals(); }
    bool command(const char* word) override {
        return mosrig::guest::tell_signals(word) || Holder::command(word);
    }
};

const KindOf<Flood> flood("flood");
const KindOf<Interrupted> interrupted("interrupted");
const KindOf<Stopped> stopped("stopped");
const KindOf<Tally> tally("tally");

}  // namespace
