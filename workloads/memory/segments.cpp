// SPDX-License-Identifier: MIT
//
// What few programs do with segments: code of 32 bits in a process of 64, which a signal meets, and
// a base of gs that no system call would take but an instruction does.
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <csignal>
#include <cstdint>
#include <cstring>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

extern "C" const unsigned char mosrig_low[];
extern "C" const unsigned char mosrig_low_end[];

// To be copied to where 32 bits are enough for an address, the first argument. Goes on in a segment
// of 32 bits, waits there for a flag, and comes back; by jumps, since QEMU's emulation takes what a
// far call does to the stack for an access of the kernel. To 64 bits the increment is a prefix.
asm(R"(
    .pushsection .rodata
mosrig_low:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, 5f - mosrig_low(%rdi)
    lea 0x10000(%rdi), %rsp
    lea 1f - mosrig_low(%rdi), %rax
    mov %eax, 3f - mosrig_low(%rdi)
    lea 2f - mosrig_low(%rdi), %rax
    mov %eax, 4f - mosrig_low(%rdi)
    mov $0x2b, %eax
    mov %eax, %ds
    ljmp *3f - mosrig_low(%rdi)
    .code32
1:  inc %ecx
    cmpl $0, mosrig_low_flag - mosrig_low(%edi)
    je 1b
    ljmp *4f - mosrig_low(%edi)
    .code64
2:  xor %eax, %eax
    mov %eax, %ds
    mov %edi, %edi
    mov 5f - mosrig_low(%rdi), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .balign 8
3:  .long 0
    .word 0x23
    .balign 8
4:  .long 0
    .word 0x33
    .balign 8
5:  .quad 0
    .globl mosrig_low_flag
mosrig_low_flag:
    .long 0
mosrig_low_end:
    .popsection
)");
extern "C" const unsigned char mosrig_low_flag[];

namespace {

using mosrig::guest::failed;

class Segments final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        constexpr uint64_t has_fsgsbase = 2;
        void* const low = mmap(nullptr, stack_top, PROT_READ | PROT_WRITE | PROT_EXEC,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        if (low == MAP_FAILED) {
            return failed("mmap");
        }
        low_ = static_cast<unsigned char*>(low);
        memcpy(low_, mosrig_low, static_cast<size_t>(mosrig_low_end - mosrig_low));
        flag_ = reinterpret_cast<volatile int*>(low_ + (mosrig_low_flag - mosrig_low));
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { *flag_ = 1; };
        if (sigaction(SIGALRM, &action, nullptr) != 0) {
            return failed("sigaction");
        }
        sets_base_ = (getauxval(AT_HWCAP2) & has_fsgsbase) != 0;
        if (sets_base_) {
            asm volatile("wrgsbase %0" : : "r"(base));
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        uint64_t seen = base;
        if (sets_base_) {
            asm volatile("rdgsbase %0" : "=r"(seen));
        }
        return seen == base ? nullptr : "the base of gs";
    }

    const char* act() override {
        const struct itimerval bell = {{0, 0}, {0, 50000}};
        *flag_ = 0;
        if (setitimer(ITIMER_REAL, &bell, nullptr) != 0) {
            return failed("setitimer");
        }
        reinterpret_cast<void (*)(void*)>(low_)(low_);
        return *flag_ == 1 ? nullptr : "code of 32 bits went on without its flag";
    }

  private:
    static constexpr size_t stack_top = 0x10000;
    // In the kernel's half of all addresses.
    static constexpr uint64_t base = ~uint64_t{0xfff};

    static inline volatile int* flag_;
    unsigned char* low_ = nullptr;
    bool sets_base_ = false;
};

const mosrig::guest::KindOf<Segments> segments("segments");

}  // namespace
