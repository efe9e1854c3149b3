// SPDX-License-Identifier: MIT
//
// Words to wait on, in a process of one thread: each call that looks at one has to see what the
// program has written last, and a wait for what nobody does ends in time.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

// Newer than the headers of some systems.
#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#endif
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 0x02
#define FUTEX2_PRIVATE FUTEX_PRIVATE_FLAG
#endif

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

class Futexes final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;
    const char* hold() override { return nullptr; }

  protected:
    const char* act() override {
        // Home has never seen these values.
        words_[0] = ++turn_;
        words_[1] = ++turn_;
        const char* wrong = by_futex();
        wrong = wrong != nullptr ? wrong : by_wait();
        wrong = wrong != nullptr ? wrong : by_waiters();
        return wrong != nullptr ? wrong : by_requeue_pi();
    }

  private:
    static constexpr unsigned flags = FUTEX2_SIZE_U32 | FUTEX2_PRIVATE;
    static constexpr uint32_t any = FUTEX_BITSET_MATCH_ANY;

    // A call that fails as it must.
    static const char* expect(const char* what, long result, int error) {
        if (result != -1) {
            return differs(what, result, -1);
        }
        return errno != error ? failed(what) : nullptr;
    }

    static struct timespec soon() {
        struct timespec at = {};
        (void)clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_nsec += 10000000;
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        return at;
    }

    const char* by_futex() {
        const struct timespec wait = {0, 10000000};
        const char* wrong =
            expect("FUTEX_WAIT for another value",
                   syscall(SYS_futex, words_, FUTEX_WAIT_PRIVATE, words_[0] + 1, &wait), EAGAIN);
        return wrong != nullptr
                   ? wrong
                   : expect("FUTEX_WAIT for nobody",
                            syscall(SYS_futex, words_, FUTEX_WAIT_PRIVATE, words_[0], &wait),
                            ETIMEDOUT);
    }

    // With inheritance of priorities: the second word is a lock, which nobody holds.
    const char* by_requeue_pi() {
        const struct timespec end = soon();
        words_[1] = 0;
        if (const char* wrong = expect("FUTEX_WAIT_REQUEUE_PI for another value",
                                       syscall(SYS_futex, words_, FUTEX_WAIT_REQUEUE_PI_PRIVATE,
                                               words_[0] + 1, &end, words_ + 1, any),
                                       EAGAIN);
            wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = expect("FUTEX_WAIT_REQUEUE_PI for nobody",
                                       syscall(SYS_futex, words_, FUTEX_WAIT_REQUEUE_PI_PRIVATE,
                                               words_[0], &end, words_ + 1, any),
                                       ETIMEDOUT);
            wrong != nullptr) {
            return wrong;
        }
        if (const long moved = syscall(SYS_futex, words_, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 0,
                                       words_ + 1, words_[0]);
            moved != 0) {
            return moved < 0 ? failed("FUTEX_CMP_REQUEUE_PI") : differs("moved", moved, 0);
        }
        return expect("FUTEX_CMP_REQUEUE_PI for another value",
                      syscall(SYS_futex, words_, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 0, words_ + 1,
                              words_[0] + 1),
                      EAGAIN);
    }

    const char* by_wait() {
        const struct timespec end = soon();
        if (const char* wrong = expect(
                "futex_wait for another value",
                syscall(SYS_futex_wait, words_, words_[0] + 1, any, flags, &end, CLOCK_MONOTONIC),
                EAGAIN);
            wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = expect(
                "futex_wait for nobody",
                syscall(SYS_futex_wait, words_, words_[0], any, flags, &end, CLOCK_MONOTONIC),
                ETIMEDOUT);
            wrong != nullptr) {
            return wrong;
        }
        const long woken = syscall(SYS_futex_wake, words_, any, 1, flags);
        return woken != 0 ? differs("woken by futex_wake", woken, 0) : nullptr;
    }

    const char* by_waiters() {
        struct futex_waitv waiters[2] = {};
        for (int at = 0; at < 2; ++at) {
            waiters[at].val = words_[at];
            waiters[at].uaddr = reinterpret_cast<uintptr_t>(&words_[at]);
            waiters[at].flags = flags;
        }
        const struct timespec end = soon();
        if (const char* wrong =
                expect("futex_waitv for nobody",
                       syscall(SYS_futex_waitv, waiters, 2, 0, &end, CLOCK_MONOTONIC), ETIMEDOUT);
            wrong != nullptr) {
            return wrong;
        }
        if (const long woken = syscall(SYS_futex_requeue, waiters, 0, 1, 1); woken != 0) {
            return woken < 0 ? failed("futex_requeue") : differs("woken by requeue", woken, 0);
        }
        // Only the second one has another value for futex_waitv, only the first for futex_requeue.
        ++waiters[1].val;
        if (const char* wrong =
                expect("futex_waitv for another value",
                       syscall(SYS_futex_waitv, waiters, 2, 0, &end, CLOCK_MONOTONIC), EAGAIN);
            wrong != nullptr) {
            return wrong;
        }
        ++waiters[0].val;
        return expect("futex_requeue for another value",
                      syscall(SYS_futex_requeue, waiters, 0, 1, 1), EAGAIN);
    }

    uint32_t words_[2] = {};
    uint32_t turn_ = 0;
};

const mosrig::guest::KindOf<Futexes> futexes("futexes");

}  // namespace
