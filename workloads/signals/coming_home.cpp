// SPDX-License-Identifier: MIT
//
// A signal to a program that computes and has been asked home, with much to take along: it does not
// wait until all of that is there.
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

constexpr size_t size = size_t{192} << 20U;
constexpr size_t page = 4096;

class ComingHome final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        memory_ = mosrig::guest::map_private(size);
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) {
            place_ = mosrig::guest::place_of(getpid());
            done_ = 1;
        };
        if (memory_ == nullptr || sigaction(SIGUSR1, &action, nullptr) != 0) {
            return failed("mmap, sigaction");
        }
        return helper_.start(call_and_signal, call_and_signal, this);
    }

  protected:
    const char* act() override {
        const int place = mosrig::guest::place_of(getpid());
        ++turn_;
        for (size_t at = 0; at < size; at += page) {
            memory_[at] = turn_;
        }
        done_ = 0;
        if (const char* const wrong = helper_.act(done_); wrong != nullptr) {
            return wrong;
        }
        if (place_ != place) {
            return differs("where the handler ran", place_, place);
        }
        return mosrig::guest::comes_home(getpid());
    }

    const char* check() override {
        for (size_t at = 0; turn_ != 0 && at < size; at += page) {
            if (memory_[at] != turn_) {
                return differs("a byte of its memory", memory_[at], turn_);
            }
        }
        return nullptr;
    }

  private:
    // By the child, at home. Who computes is in no call that the request would break off.
    static const char* call_and_signal(void* /*data*/) {
        const pid_t process = getppid();
        char path[32];
        (void)snprintf(path, sizeof path, "/proc/%d/goto", process);
        if (const char* const wrong = mosrig::guest::await_no_call(process); wrong != nullptr) {
            return wrong;
        }
        const bool asked = mosrig::guest::write_text(path, "home");
        const char state = mosrig::guest::state_of(process);
        if (kill(process, SIGUSR1) != 0 || !asked) {
            return failed("goto, kill");
        }
        return state != 'R' ? differs("its state", state, 'R') : nullptr;
    }

    static inline volatile sig_atomic_t done_ = 0;
    static inline volatile sig_atomic_t place_ = -1;
    mosrig::guest::Helper helper_;
    unsigned char* memory_ = nullptr;
    unsigned char turn_ = 0;
};

const mosrig::guest::KindOf<ComingHome> coming_home("coming-home");

}  // namespace
