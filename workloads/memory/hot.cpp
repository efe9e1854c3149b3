// SPDX-License-Identifier: MIT
//
// The pages around the stack pointer and those of the thread go ahead of a process that leaves, and
// are brought up to date as it goes. This one writes to them all the time, densely and here and
// there, and knows from elsewhere what they must hold.
#include <cstddef>
#include <cstdint>

#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::now_ms;

constexpr size_t words = 1024;  // two pages
constexpr size_t thread_words = 128;
constexpr uint64_t strides = 41;

thread_local volatile uint64_t of_thread[thread_words];

class Hot final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override { return nullptr; }
    [[nodiscard]] int patience_ms() const override { return 0; }

  protected:
    const char* step() override {
        constexpr int64_t turn_ms = 50;
        volatile uint64_t on_stack[words] = {};
        for (uint64_t& word : stack_) {
            word = 0;
        }
        const int64_t end = now_ms() + turn_ms;
        do {
            ++pass_;
            write(on_stack, stack_, words);
            write(of_thread, thread_, thread_words);
            if (!same(on_stack, stack_, words)) {
                return "a word on the stack";
            }
            if (!same(of_thread, thread_, thread_words)) {
                return "a word of the thread";
            }
        } while (now_ms() < end);
        return nullptr;
    }

  private:
    // Every word, or one of so many that what lies between is worth leaving out.
    void write(volatile uint64_t* words_there, uint64_t* known, size_t count) const {
        for (size_t at = pass_ % 3; at < count; at += 1 + pass_ % strides) {
            known[at] = pass_ * words + at;
            words_there[at] = known[at];
        }
    }

    static bool same(const volatile uint64_t* words_there, const uint64_t* known, size_t count) {
        for (size_t at = 0; at < count; ++at) {
            if (words_there[at] != known[at]) {
                return false;
            }
        }
        return true;
    }

    uint64_t pass_ = 0;
    uint64_t stack_[words] = {};
    uint64_t thread_[thread_words] = {};
};

const KindOf<Hot> hot("hot");

}  // namespace
