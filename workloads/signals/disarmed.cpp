// SPDX-License-Identifier: MIT
//
// An alternate stack that is disarmed while its handler runs, in the middle of other data: the
// frame of the signal is on that stack, and nothing around it changes.
#include <csignal>
#include <cstddef>

#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31U)
#endif

namespace {

using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::same_bytes;

class Disarmed final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        stack_t stack = {};
        stack.ss_sp = block_ + below;
        stack.ss_size = size;
        stack.ss_flags = static_cast<int>(SS_AUTODISARM);
        struct sigaction action = {};
        action.sa_handler = take;
        action.sa_flags = SA_ONSTACK;
        fill(1);
        return sigaltstack(&stack, nullptr) != 0 || sigaction(SIGUSR1, &action, nullptr) != 0
                   ? failed("sigaltstack, sigaction")
                   : nullptr;
    }

  protected:
    const char* act() override {
        // Written here, so that another node's copy is an old one.
        fill(++turn_);
        on_stack_ = 0;
        if (raise(SIGUSR1) != 0) {
            return failed("raise");
        }
        if (on_stack_ == 0) {
            return "the handler did not run on its stack";
        }
        return check();
    }

    const char* check() override {
        if (!same_bytes(block_, below, turn_)) {
            return "what lies below the stack";
        }
        return same_bytes(block_ + below + size, above, turn_) ? nullptr
                                                               : "what lies above the stack";
    }

  private:
    static constexpr size_t below = 100000;
    static constexpr size_t size = 20000;
    static constexpr size_t above = 100000;

    void fill(unsigned seed) {
        turn_ = seed;
        fill_bytes(block_, below, seed);
        fill_bytes(block_ + below + size, above, seed);
    }

    static void take(int /*signal*/) {
        volatile unsigned char here = 0;
        const auto* const at = const_cast<const unsigned char*>(&here);
        on_stack_ = at >= block_ + below && at < block_ + below + size ? 1 : 0;
    }

    alignas(64) static inline unsigned char block_[below + size + above];
    static inline volatile sig_atomic_t on_stack_;
    unsigned turn_ = 0;
};

const mosrig::guest::KindOf<Disarmed> disarmed("disarmed");

}  // namespace
