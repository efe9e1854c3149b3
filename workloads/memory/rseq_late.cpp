// SPDX-License-Identifier: MIT
//
// A restartable sequence that is announced where the process then is: a signal that falls into one
// breaks it off, on this node as on any other.
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;

class LateSequences final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { rung_ = 1; };
        return __rseq_size == 0 ? "the C library has registered no rseq area"
               : sigaction(SIGALRM, &action, nullptr) != 0 ? failed("sigaction")
                                                           : tell(RSEQ_FLAG_UNREGISTER);
    }

  protected:
    const char* act() override {
        if (const char* wrong = tell(0); wrong != nullptr) {
            return wrong;
        }
        if (area()->cpu_id != area()->cpu_id_start || area()->cpu_id >= most_cpus) {
            return "an area that was announced has no CPU";
        }
        for (int round = 0; round < 5; ++round) {
            const struct itimerval bell = {{0, 0}, {0, 50000}};
            rung_ = 0;
            if (setitimer(ITIMER_REAL, &bell, nullptr) != 0) {
                return failed("setitimer");
            }
            if (!broken_off()) {
                return "a sequence goes on after a signal";
            }
        }
        const char* const wrong = tell(RSEQ_FLAG_UNREGISTER);
        return wrong == nullptr && area()->cpu_id < most_cpus
                   ? "an area that was given up has a CPU"
                   : wrong;
    }

  private:
    static constexpr uint32_t most_cpus = 1024;

    static struct rseq* area() {
        return reinterpret_cast<struct rseq*>(static_cast<char*>(__builtin_thread_pointer()) +
                                              __rseq_offset);
    }

    // As the C library does it: the kernel takes nothing else for the same area.
    static const char* tell(int flags) {
        constexpr unsigned area_size = 32;
        return syscall(SYS_rseq, area(), area_size, flags, RSEQ_SIG) != 0 ? failed("rseq")
                                                                          : nullptr;
    }

    // The sequence waits for the signal's handler, and comes to its end only if it goes on behind.
    static bool broken_off() {
        int broken = 0;
        asm volatile(
            ".pushsection __rseq_cs, \"aw\"\n .balign 32\n"
            "3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n .popsection\n"
            "leaq 3b(%%rip), %%rax\n movq %%rax, %[section]\n"
            "1: cmpl $0, %[rung]\n je 1b\n"
            "2: jmp 6f\n"
            ".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n"
            "4: movl $1, %[broken]\n"
            "6: movq $0, %[section]\n"
            : [broken] "+m"(broken), [section] "+m"(area()->rseq_cs)
            : [rung] "m"(rung_)
            : "rax", "memory", "cc");
        return broken == 1;
    }

    static inline volatile sig_atomic_t rung_;
};

const mosrig::guest::KindOf<LateSequences> late_sequences("rseq-late");

}  // namespace
