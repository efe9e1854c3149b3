// SPDX-License-Identifier: MIT
//
// A timer on CPU time expires while the program computes without a call, and the next thing that
// the program does is to wait for its signal, or for what its handler does.
#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "expiry.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::compute;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ns;

constexpr int64_t ms = 1000000;
constexpr int64_t span = 20 * ms;
// It has expired for long by then, and by any clock.
constexpr int64_t spin = 6 * span;
// Steps between two looks at the clock.
constexpr int chunk = 20000;
constexpr int turns = 8;
constexpr int patience_s = 10;

class Unseen final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { (void)!write(into_, "x", 1); };
        sigemptyset(&waited_for_);
        sigaddset(&waited_for_, SIGUSR1);
        struct sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGUSR1;
        int ends[2];
        if (sigaction(SIGPROF, &action, nullptr) != 0 ||
            sigprocmask(SIG_BLOCK, &waited_for_, nullptr) != 0 ||
            timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer_) != 0 || pipe(ends) != 0) {
            return failed("timer_create, pipe");
        }
        from_ = ends[0];
        into_ = ends[1];
        const int64_t begin = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - begin < spin) {
            compute(chunk);
            ++steps_;
        }
        return nullptr;
    }

    bool command(const char* word) override {
        const bool by_signal = strcmp(word, "SIGNAL") == 0;
        if (!by_signal && strcmp(word, "HANDLER") != 0) {
            return Holder::command(word);
        }
        const char* wrong = nullptr;
        for (int turn = 0; turn < turns && wrong == nullptr; ++turn) {
            wrong = by_signal ? wait_for_signal() : wait_for_handler();
        }
        answer(wrong);
        return true;
    }

  private:
    void compute_on() const {
        for (int64_t step = 0; step < steps_; ++step) {
            compute(chunk);
        }
    }

    const char* wait_for_signal() {
        struct itimerspec value = {};
        value.it_value.tv_nsec = span;
        if (timer_settime(timer_, 0, &value, nullptr) != 0) {
            return failed("timer_settime");
        }
        compute_on();
        const struct timespec patience = {patience_s, 0};
        const int signal = sigtimedwait(&waited_for_, nullptr, &patience);
        return signal < 0 ? failed("sigtimedwait") : nullptr;
    }

    // The handler has run before the call is made, which it does not interrupt.
    const char* wait_for_handler() {
        struct itimerval value = {};
        value.it_value.tv_usec = span / 1000;
        if (setitimer(ITIMER_PROF, &value, nullptr) != 0) {
            return failed("setitimer");
        }
        compute_on();
        struct pollfd entry = {from_, POLLIN, 0};
        const int ready = poll(&entry, 1, patience_s * 1000);
        if (ready < 0) {
            return failed("poll");
        }
        char byte = 0;
        return ready != 1                   ? differs("ready descriptors", ready, 1)
               : read(from_, &byte, 1) != 1 ? failed("read")
                                            : nullptr;
    }

    static inline int into_ = -1;
    int from_ = -1;
    timer_t timer_ = nullptr;
    sigset_t waited_for_ = {};
    int64_t steps_ = 0;
};

const mosrig::guest::KindOf<Unseen> unseen("unseen");

}  // namespace
