// SPDX-License-Identifier: MIT
//
// Restartable sequences, as the C library registers them: the area says on which CPU the thread is,
// and a sequence that a move falls into begins anew instead of going on.
#include <sched.h>
#include <sys/rseq.h>

#include <cstdint>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;

class Sequences final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        return __rseq_size == 0 ? "the C library has registered no rseq area" : nullptr;
    }
    int patience_ms() const override { return 0; }

  protected:
    const char* step() override {
        struct rseq* area = thread_area();
        const auto cpu = static_cast<int>(*const_cast<volatile uint32_t*>(&area->cpu_id));
        if (cpu < 0) {
            return differs("cpu_id", cpu, 0);
        }
        if (const int asked = sched_getcpu(); asked < 0) {
            return differs("sched_getcpu", asked, 0);
        }
        // Each round trip through the sequence adds one, however often it had to begin anew.
        constexpr int rounds = 20000;
        const uint64_t before = counter_;
        for (int round = 0; round < rounds; ++round) {
            add_one(area);
        }
        return counter_ != before + rounds
                   ? differs("additions", static_cast<long long>(counter_ - before), rounds)
                   : nullptr;
    }

  private:
    static struct rseq* thread_area() {
        return reinterpret_cast<struct rseq*>(static_cast<char*>(__builtin_thread_pointer()) +
                                              __rseq_offset);
    }

    // The sequence loads, dwells for a while, and ends with the store; if it is broken off, the
    // handler at 4 (behind the signature) begins anew.
    void add_one(struct rseq* area) {
        asm volatile(
            ".pushsection __rseq_cs, \"aw\"\n .balign 32\n"
            "3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n .popsection\n"
            "0: leaq 3b(%%rip), %%rax\n movq %%rax, %[section]\n"
            "1: movq %[counter], %%rcx\n movl $50, %%eax\n"
            "5: decl %%eax\n jnz 5b\n"
            "addq $1, %%rcx\n movq %%rcx, %[counter]\n"
            "2: jmp 6f\n"
            ".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n"
            "4: jmp 0b\n"
            "6: movq $0, %[section]\n"
            : [counter] "+m"(counter_), [section] "+m"(area->rseq_cs)
            :
            : "rax", "rcx", "memory", "cc");
    }

    uint64_t counter_ = 0;
};

const mosrig::guest::KindOf<Sequences> sequences("rseq");

}  // namespace
