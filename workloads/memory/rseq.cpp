// SPDX-License-Identifier: MIT
//
// Restartable sequences, as the C library registers them: the area says on which CPU the thread is,
// and a sequence that a move or a signal falls into is broken off instead of going on.
//
// The program spends its time in one sequence, which looks at two things over and over: how many
// signals have been handled, and the code of a function that the kernel lends to programs, of which
// a process away has another one. Whoever is broken off as he must be never sees either change.
#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/rseq.h>
#include <sys/time.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

// Where a function of the vdso begins; nullptr if there is none of that name.
const uint64_t* vdso_function(const char* name) {
    const auto address = getauxval(AT_SYSINFO_EHDR);
    const auto* const image = reinterpret_cast<const char*>(address);  // NOLINT
    if (image == nullptr) {
        return nullptr;
    }
    const auto* const head = reinterpret_cast<const Elf64_Ehdr*>(image);
    const auto* const sections = reinterpret_cast<const Elf64_Shdr*>(image + head->e_shoff);
    for (unsigned at = 0; at < head->e_shnum; ++at) {
        if (sections[at].sh_type != SHT_DYNSYM) {
            continue;
        }
        const char* const names = image + sections[sections[at].sh_link].sh_offset;
        const auto* symbol = reinterpret_cast<const Elf64_Sym*>(image + sections[at].sh_offset);
        for (size_t left = sections[at].sh_size / sizeof *symbol; left > 0; --left, ++symbol) {
            if (strcmp(names + symbol->st_name, name) == 0) {
                return reinterpret_cast<const uint64_t*>(image + symbol->st_value);
            }
        }
    }
    return nullptr;
}

class Sequences final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        if (__rseq_size == 0) {
            return "the C library has registered no rseq area";
        }
        code_ = vdso_function("__vdso_clock_gettime");
        if (code_ == nullptr) {
            return "there is no vdso";
        }
        code_at_home_ = code_now();
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { rung_ = rung_ + 1; };
        action.sa_flags = SA_RESTART;
        struct itimerval bell = {};
        bell.it_interval.tv_usec = bell_us;
        bell.it_value = bell.it_interval;
        return sigaction(SIGALRM, &action, nullptr) != 0 ||
                       setitimer(ITIMER_REAL, &bell, nullptr) != 0
                   ? failed("a timer")
                   : nullptr;
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
        Stay stay;
        dwell(area, stay);
        switch (stay.end) {
            case End::signal_seen:
                return "a sequence goes on after a signal was handled in the midst of it";
            case End::move_seen:
                return "a sequence goes on where a move has brought it";
            case End::broken_off:
                count(stay);
                break;
            case End::told:
            case End::tired:
                break;
        }
        return nullptr;
    }

    // After some moves, a few of each kind have fallen into a sequence: else nothing was tested.
    const char* check() override {
        constexpr long moves_enough = 6;
        char text[32] = {};
        if (mosrig::guest::read_text("/proc/self/nmigs", text, sizeof text) == 0 ||
            strtol(text, nullptr, 10) < moves_enough) {
            return nullptr;
        }
        if (left_ == 0 || came_home_ == 0) {
            return differs("sequences broken off by leaving, and by coming home, of at least",
                           left_ < came_home_ ? left_ : came_home_, 1);
        }
        return rung_away_ == 0 ? differs("sequences broken off by signals away", 0, 1) : nullptr;
    }

  private:
    // Longer than a process is frozen: else the next bell breaks off what the move did not.
    static constexpr long bell_us = 300000;
    // More than a bell's time, on any machine that is meant.
    static constexpr uint64_t turns = 1UL << 30;

    enum class End : uint32_t {
        tired = 0,
        told = 1,        // a signal was handled right before it
        broken_off = 2,  // as it has to be
        signal_seen = 3,
        move_seen = 4,
    };
    // What a sequence saw at its beginning, and how it ended.
    struct Stay {
        uint64_t code = 0;
        uint32_t rung = 0;
        End end = End::tired;
    };

    static struct rseq* thread_area() {
        return reinterpret_cast<struct rseq*>(static_cast<char*>(__builtin_thread_pointer()) +
                                              __rseq_offset);
    }

    [[nodiscard]] uint64_t code_now() const { return *const_cast<const volatile uint64_t*>(code_); }

    void count(const Stay& stay) {
        const uint64_t code = code_now();
        if (code != stay.code) {
            ++(code == code_at_home_ ? came_home_ : left_);
        } else if (code != code_at_home_ && static_cast<uint32_t>(rung_) != stay.rung) {
            ++rung_away_;
        }
    }

    // The sequence is from 1 to 2; broken off, it ends at 4, which is behind the signature. What it
    // notes first it notes within itself: what happens before is none of its business. It is noted
    // before, too, since it may be broken off at its first instruction.
    void dwell(struct rseq* area, Stay& stay) const {
        uint64_t left = turns;
        const auto heard = static_cast<uint32_t>(rung_);
        stay.rung = heard;
        stay.code = code_now();
        uint32_t end = 0;
        asm volatile(
            ".pushsection __rseq_cs, \"aw\"\n .balign 32\n"
            "3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n .popsection\n"
            "leaq 3b(%%rip), %%rax\n movq %%rax, %[section]\n"
            "1: movl %[rung_now], %[rung]\n movq (%[at]), %[code]\n"
            "cmpl %[heard], %[rung]\n jne 7f\n"
            "5: cmpl %[rung_now], %[rung]\n jne 8f\n"
            "cmpq (%[at]), %[code]\n jne 9f\n"
            "decq %[left]\n jnz 5b\n"
            "2: movl $0, %[end]\n jmp 6f\n"
            "7: movl $1, %[end]\n jmp 6f\n"
            "8: movl $3, %[end]\n jmp 6f\n"
            "9: movl $4, %[end]\n jmp 6f\n"
            ".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n"
            "4: movl $2, %[end]\n"
            "6: movq $0, %[section]\n"
            : [section] "+m"(area->rseq_cs), [code] "+r"(stay.code), [rung] "+r"(stay.rung),
              [left] "+r"(left), [end] "+r"(end)
            : [rung_now] "m"(rung_), [at] "r"(code_), [heard] "r"(heard)
            : "rax", "memory", "cc");
        stay.end = static_cast<End>(end);
    }

    static inline volatile sig_atomic_t rung_;
    const uint64_t* code_ = nullptr;
    uint64_t code_at_home_ = 0;
    // Sequences that were broken off, by what.
    long left_ = 0;
    long came_home_ = 0;
    long rung_away_ = 0;
};

const mosrig::guest::KindOf<Sequences> sequences("rseq");

}  // namespace
