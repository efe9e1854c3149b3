// SPDX-License-Identifier: MIT
//
// Every operation of futex on words of a process of one thread. What home has of a word is older
// than what the program has written; what the kernel writes has to come back.
#include <linux/futex.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "rows.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

// Newer than the headers of some systems.
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

namespace {

using mosrig::guest::call;
using mosrig::guest::Input;
using mosrig::guest::now_ns;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

// A word right before memory that may not even be read, in a page that nobody has touched yet
// unless it was given a value.
class Word {
  public:
    Word() : pages_(mosrig::guest::map_private(2 * page)) {
        if (pages_ == nullptr || mprotect(pages_ + page, page, PROT_NONE) != 0) {
            abort();
        }
    }
    explicit Word(uint32_t value) : Word() { *at() = value; }
    Word(const Word&) = delete;
    Word& operator=(const Word&) = delete;
    ~Word() { (void)munmap(pages_, 2 * page); }

    [[nodiscard]] uint32_t* at() const {
        return reinterpret_cast<uint32_t*>(pages_ + page - sizeof(uint32_t));
    }
    // Whether it is that now, and what stands before it is as ever.
    void judge(Verdict& verdict, uint32_t wanted, int line = __builtin_LINE()) const {
        verdict.is(*at(), wanted, line);
        verdict.is(at()[-1], 0, line);
    }

  private:
    static constexpr size_t page = 4096;
    unsigned char* pages_;
};

class Futex final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    const char* hold() override { return nullptr; }

  protected:
    // With each of them as if others could have the word, too, and as if not.
    const char* act() override {
        static constexpr Row<Futex> rows[] = {
            {"FUTEX_WAIT", &Futex::wait},
            {"FUTEX_WAIT_BITSET", &Futex::wait_for_bits},
            {"FUTEX_WAKE", &Futex::wake},
            {"FUTEX_WAKE_OP", &Futex::wake_and_change},
            {"FUTEX_REQUEUE", &Futex::requeue},
            {"FUTEX_CMP_REQUEUE", &Futex::compare_and_requeue},
            {"FUTEX_LOCK_PI", &Futex::lock},
            {"FUTEX_TRYLOCK_PI", &Futex::try_lock},
            {"FUTEX_LOCK_PI2", &Futex::lock_in_time},
        };
        const char* wrong = nullptr;
        for (const int flag : {0, FUTEX_PRIVATE_FLAG}) {
            flag_ = flag;
            ++turn_;
            wrong = wrong != nullptr ? wrong : judge(*this, rows);
        }
        return wrong;
    }

  private:
    static constexpr uint32_t nobody = 0x3ffffff;
    static constexpr int64_t soon = 30000000;

    template <class Time, class Second>
    long futex(const Word& word, int operation, long value, Time time, Second second,
               uint32_t third) const {
        return call(SYS_futex, word.at(), operation | flag_, value, time, second, third);
    }
    static struct timespec in(int64_t ns) { return {ns / 1000000000, ns % 1000000000}; }

    void wait(Verdict& verdict) {
        const Word word(turn_);
        const Input time(in(soon));
        const Input wrong(timespec{0, -1});
        const int64_t begin = now_ns();
        verdict.fails(futex(word, FUTEX_WAIT, turn_, time.at(), nullptr, 0), ETIMEDOUT);
        verdict.sees(now_ns() - begin >= soon);
        verdict.fails(futex(word, FUTEX_WAIT, turn_ + 1, nullptr, nullptr, 0), EAGAIN);
        verdict.fails(futex(word, FUTEX_WAIT, turn_, wrong.at(), nullptr, 0), EINVAL);
        verdict.fails(futex(Word(), FUTEX_WAIT, 1, nullptr, nullptr, 0), EAGAIN);
        verdict.fails(futex(Word(), FUTEX_WAIT, 0, time.at(), nullptr, 0), ETIMEDOUT);
        word.judge(verdict, turn_);
    }
    // Until a time of either clock.
    void wait_for_bits(Verdict& verdict) {
        const Word word(turn_);
        const auto until = [&](clockid_t clock, int operation) {
            const int64_t end = now_ns(clock) + soon;
            verdict.fails(futex(word, operation, turn_, Input(in(end)).at(), nullptr, 1U << 31U),
                          ETIMEDOUT);
            verdict.sees(now_ns(clock) >= end);
        };
        until(CLOCK_MONOTONIC, FUTEX_WAIT_BITSET);
        until(CLOCK_REALTIME, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME);
        verdict.fails(futex(word, FUTEX_WAIT_BITSET, turn_ - 1, nullptr, nullptr, 1), EAGAIN);
        verdict.fails(futex(word, FUTEX_WAIT_BITSET, turn_, nullptr, nullptr, 0), EINVAL);
        word.judge(verdict, turn_);
    }
    void wake(Verdict& verdict) {
        const Word word(turn_);
        verdict.gives(futex(word, FUTEX_WAKE, 1, nullptr, nullptr, 0), 0);
        verdict.gives(futex(word, FUTEX_WAKE_BITSET, 1, nullptr, nullptr, 5), 0);
        verdict.gives(futex(Word(), FUTEX_WAKE_BITSET, 1, nullptr, nullptr, 5), 0);
        verdict.fails(futex(word, FUTEX_WAKE_BITSET, 1, nullptr, nullptr, 0), EINVAL);
        word.judge(verdict, turn_);
    }
    // What is done to the second word, which the first one has nothing to do with.
    void wake_and_change(Verdict& verdict) {
        const uint32_t before = turn_ << 8U | 0x0f;
        const std::pair<int, uint32_t> operations[] = {
            {FUTEX_OP_SET, 0x35},           {FUTEX_OP_ADD, before + 0x35},
            {FUTEX_OP_OR, before | 0x35U},  {FUTEX_OP_ANDN, before & ~0x35U},
            {FUTEX_OP_XOR, before ^ 0x35U},
        };
        const Word first(turn_);
        for (const auto& [operation, wanted] : operations) {
            const Word second(before);
            const uint32_t how = FUTEX_OP(operation, 0x35, FUTEX_OP_CMP_EQ, 0);
            verdict.gives(futex(first, FUTEX_WAKE_OP, 1, 1, second.at(), how), 0);
            second.judge(verdict, wanted);
        }
        const Word fresh;
        const uint32_t how = FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_EQ, 0);
        verdict.gives(futex(first, FUTEX_WAKE_OP, 1, 1, fresh.at(), how), 0);
        fresh.judge(verdict, 7);
        const uint32_t none = FUTEX_OP(6, 1, FUTEX_OP_CMP_EQ, 0);
        verdict.fails(futex(first, FUTEX_WAKE_OP, 1, 1, fresh.at(), none), ENOSYS);
        fresh.judge(verdict, 7);
        first.judge(verdict, turn_);
    }
    // There is nobody who could wait for the other word instead.
    void requeue(Verdict& verdict) {
        const Word first(turn_);
        const Word second(turn_ + 1);
        verdict.gives(futex(first, FUTEX_REQUEUE, 0, 1, second.at(), 0), 0);
        verdict.gives(futex(first, FUTEX_REQUEUE, 1, 1, Word().at(), 0), 0);
        verdict.fails(futex(first, FUTEX_REQUEUE, -1, 1, second.at(), 0), EINVAL);
        first.judge(verdict, turn_);
        second.judge(verdict, turn_ + 1);
    }
    void compare_and_requeue(Verdict& verdict) {
        const Word first(turn_);
        const Word second(turn_ + 1);
        verdict.gives(futex(first, FUTEX_CMP_REQUEUE, 0, 1, second.at(), turn_), 0);
        verdict.fails(futex(first, FUTEX_CMP_REQUEUE, 0, 1, second.at(), turn_ + 1), EAGAIN);
        verdict.fails(futex(Word(), FUTEX_CMP_REQUEUE, 0, 1, second.at(), 1), EAGAIN);
        first.judge(verdict, turn_);
        second.judge(verdict, turn_ + 1);
    }

    // Who has the lock stands in it.
    void lock(Verdict& verdict) {
        const auto self = static_cast<uint32_t>(gettid());
        const Word word;
        verdict.fails(futex(word, FUTEX_UNLOCK_PI, 0, nullptr, nullptr, 0), EPERM);
        verdict.gives(futex(word, FUTEX_LOCK_PI, 0, nullptr, nullptr, 0), 0);
        word.judge(verdict, self);
        verdict.fails(futex(word, FUTEX_LOCK_PI, 0, nullptr, nullptr, 0), EDEADLK);
        word.judge(verdict, self);
        verdict.gives(futex(word, FUTEX_UNLOCK_PI, 0, nullptr, nullptr, 0), 0);
        word.judge(verdict, 0);
        // Left behind by somebody who has gone.
        const Word left(FUTEX_OWNER_DIED);
        verdict.gives(futex(left, FUTEX_LOCK_PI, 0, nullptr, nullptr, 0), 0);
        left.judge(verdict, self | FUTEX_OWNER_DIED);
        // Of somebody who has never been.
        const Word strange(nobody);
        verdict.fails(futex(strange, FUTEX_LOCK_PI, 0, nullptr, nullptr, 0), ESRCH);
        strange.judge(verdict, nobody | FUTEX_WAITERS);
        verdict.fails(futex(strange, FUTEX_UNLOCK_PI, 0, nullptr, nullptr, 0), EPERM);
    }
    void try_lock(Verdict& verdict) {
        const auto self = static_cast<uint32_t>(gettid());
        const Word word;
        verdict.gives(futex(word, FUTEX_TRYLOCK_PI, 0, nullptr, nullptr, 0), 0);
        word.judge(verdict, self);
        verdict.fails(futex(word, FUTEX_TRYLOCK_PI, 0, nullptr, nullptr, 0), EDEADLK);
        verdict.gives(futex(word, FUTEX_UNLOCK_PI, 0, nullptr, nullptr, 0), 0);
        word.judge(verdict, 0);
        if (flag_ == FUTEX_PRIVATE_FLAG) {
            return;
        }
        const auto parent = static_cast<uint32_t>(getppid());
        const Word held(parent);
        verdict.fails(futex(held, FUTEX_TRYLOCK_PI, 0, nullptr, nullptr, 0), EAGAIN);
        held.judge(verdict, parent | FUTEX_WAITERS);
    }
    // The parent has it, and knows nothing of that; newer kernels know that it cannot have a
    // private one. Each has a clock of its own.
    void lock_in_time(Verdict& verdict) {
        if (flag_ == FUTEX_PRIVATE_FLAG) {
            return;
        }
        const auto parent = static_cast<uint32_t>(getppid());
        const std::pair<int, clockid_t> operations[] = {
            {FUTEX_LOCK_PI, CLOCK_REALTIME},
            {FUTEX_LOCK_PI2, CLOCK_MONOTONIC},
            {FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME},
        };
        const Input wrong(timespec{0, -1});
        for (const auto& [operation, clock] : operations) {
            const Word word(parent);
            const int64_t end = now_ns(clock) + soon;
            verdict.fails(futex(word, operation, 0, Input(in(end)).at(), nullptr, 0), ETIMEDOUT);
            verdict.sees(now_ns(clock) >= end);
            word.judge(verdict, parent | FUTEX_WAITERS);
            verdict.fails(futex(word, operation, 0, wrong.at(), nullptr, 0), EINVAL);
        }
    }

    int flag_ = 0;
    uint32_t turn_ = 4711;
};

const mosrig::guest::KindOf<Futex> futex("rows-futex");

}  // namespace
