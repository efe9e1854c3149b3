// SPDX-License-Identifier: MIT
//
// Faults and traps of the program itself, each at a word of its own: the first one brings a process
// home, so of several in a row all others would happen there.
#include <fcntl.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <csignal>
#include <cstdint>
#include <cstring>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

// Each of them faults at its first instruction; the two traps come after one that is done, and what
// the x87 has divided is found wrong by the instruction that waits for it.
extern "C" {
void mosrig_write(const void* where);
void mosrig_read(const void* where);
void mosrig_divide(const void* zero);
void mosrig_execute_nothing(const void* unused);
void mosrig_call_as_32_bits(const void* unused);
void mosrig_break(const void* unused);
void mosrig_step(const void* unused);
void mosrig_overflow(const void* unused);
void mosrig_unmask_and_divide(const void* control);
void mosrig_divide_floats(const void* unused);
}

asm(R"(
    .pushsection .text
mosrig_write:
    movb $1, (%rdi)
    ret
mosrig_read:
    movb (%rdi), %al
    ret
mosrig_divide:
    idivl %edi
    ret
mosrig_execute_nothing:
    ud2
    ret
mosrig_call_as_32_bits:
    int $0x80
    ret
mosrig_break:
    int3
    ret
mosrig_step:
    pushfq
    orl $0x100, (%rsp)
    popfq
    nop
    ret
mosrig_overflow:
    int $4
    ret
mosrig_unmask_and_divide:
    fninit
    fldcw (%rdi)
mosrig_divide_floats:
    fld1
    fldz
    fdivrp
    fwait
    ret
    .popsection
)");

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

constexpr size_t page_size = 4096;

// Numbers of the processor's exceptions, which a handler finds in its context.
constexpr greg_t divide_error = 0;
constexpr greg_t debug = 1;
constexpr greg_t breakpoint = 3;
constexpr greg_t overflow = 4;
constexpr greg_t invalid_opcode = 6;
constexpr greg_t general_protection = 13;
constexpr greg_t page_fault = 14;
constexpr greg_t x87_error = 16;

// Has the processor trap after each instruction.
constexpr greg_t trap_flag = 0x100;

// What the x87 begins with, but that a division by zero is told.
constexpr uint16_t zero_is_told = 0x037F & ~0x0004;

class FaultsOneByOne final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        void* const beyond =
            fd < 0 ? MAP_FAILED : mmap(nullptr, page_size, PROT_READ, MAP_PRIVATE, fd, 0);
        page_ = mosrig::guest::map_private(page_size);
        if (beyond == MAP_FAILED || page_ == nullptr) {
            return failed("an empty file, a page");
        }
        beyond_ = beyond;
        memset(page_, return_instruction, page_size);
        if (mprotect(page_, page_size, PROT_READ) != 0) {
            return failed("mprotect");
        }
        struct sigaction action = {};
        action.sa_sigaction = take;
        action.sa_flags = SA_SIGINFO;
        for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) {
            if (sigaction(signal, &action, nullptr) != 0) {
                return failed("sigaction");
            }
        }
        return nullptr;
    }

    bool command(const char* word) override {
        // For a fault that comes only after a move, so that this travels with the process.
        if (strcmp(word, "UNMASK") == 0) {
            asm volatile("fninit\n fldcw %[control]" : : [control] "m"(zero_is_told));
            mosrig::guest::answer(nullptr);
            return true;
        }
        // An address that no program has.
        const auto* const nowhere = reinterpret_cast<const void*>(0x1234);
        const auto no_code = reinterpret_cast<Cause>(page_);
        // The kernel's own.
        auto* const forbidden = reinterpret_cast<void*>(0xffffffffffffffff);
        const auto no_way = reinterpret_cast<Cause>(forbidden);
        const Fault faults[] = {
            {"WRITE_PROTECTED", mosrig_write, page_ + 17, SIGSEGV, SEGV_ACCERR, page_fault},
            {"NO_CODE", no_code, page_, SIGSEGV, SEGV_ACCERR, page_fault},
            {"NOWHERE", mosrig_write, nowhere, SIGSEGV, SEGV_MAPERR, page_fault},
            {"PAST_THE_END", mosrig_read, beyond_, SIGBUS, BUS_ADRERR, page_fault},
            {"DIVIDE", mosrig_divide, nullptr, SIGFPE, FPE_INTDIV, divide_error},
            {"NOTHING", mosrig_execute_nothing, nullptr, SIGILL, ILL_ILLOPN, invalid_opcode},
            // The nodes' kernels have no calls of 32 bits.
            {"INT80", mosrig_call_as_32_bits, nullptr, SIGSEGV, SI_KERNEL, general_protection},
            {"BREAK", mosrig_break, nullptr, SIGTRAP, SI_KERNEL, breakpoint, 1},
            {"JUMP", no_way, forbidden, SIGSEGV, SEGV_MAPERR, page_fault},
            {"OVERFLOW", mosrig_overflow, nullptr, SIGSEGV, SI_KERNEL, overflow, 2},
            {"STEP", mosrig_step, nullptr, SIGTRAP, TRAP_TRACE, debug, 10},
            {"DIVIDE_FLOATS", mosrig_unmask_and_divide, &zero_is_told, SIGFPE, FPE_FLTDIV,
             x87_error, 10},
            {"DIVIDE_TOLD", mosrig_divide_floats, nullptr, SIGFPE, FPE_FLTDIV, x87_error, 6},
        };
        for (const Fault& fault : faults) {
            if (strcmp(fault.word, word) == 0) {
                mosrig::guest::answer(happen(fault));
                return true;
            }
        }
        return Holder::command(word);
    }

  protected:
    const char* check() override {
        return page_[17] == return_instruction ? nullptr : "a page that may only be read";
    }

  private:
    using Cause = void (*)(const void*);

    struct Fault {
        const char* word;
        Cause cause;
        const void* where;  // what the program touches there
        int signal;
        int code;
        greg_t exception;
        int behind = 0;  // how far it comes past the beginning of its cause
    };

    struct Seen {
        int count;
        siginfo_t info;
        greg_t instruction;
        greg_t exception;
    };

    static constexpr unsigned char return_instruction = 0xc3;

    static const char* happen(const Fault& fault) {
        seen_ = {};
        fault.cause(fault.where);
        // Else whatever next uses the x87 were told of the same division.
        asm volatile("fninit");
        const auto instruction = reinterpret_cast<greg_t>(fault.cause) + fault.behind;
        const auto touched = reinterpret_cast<greg_t>(fault.where);
        const auto address = reinterpret_cast<greg_t>(seen_.info.si_addr);
        // These tell none.
        const bool untold = fault.exception == breakpoint || fault.exception == overflow ||
                            fault.exception == general_protection;
        const greg_t wanted = fault.exception == page_fault ? touched : untold ? 0 : instruction;
        if (seen_.count != 1) {
            return differs("signals of one fault", seen_.count, 1);
        }
        if (seen_.info.si_signo != fault.signal) {
            return differs("the signal of the fault", seen_.info.si_signo, fault.signal);
        }
        if (seen_.info.si_code != fault.code) {
            return differs("the code of the fault", seen_.info.si_code, fault.code);
        }
        if (seen_.instruction != instruction) {
            return differs("the instruction that the handler sees", seen_.instruction, instruction);
        }
        if (address != wanted) {
            return differs("the address of the fault", address, wanted);
        }
        if (seen_.exception != fault.exception) {
            return differs("the exception that the handler sees", seen_.exception, fault.exception);
        }
        return nullptr;
    }

    static void take(int /*signal*/, siginfo_t* info, void* context) {
        greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
        seen_ = {seen_.count + 1, *info, registers[REG_RIP], registers[REG_TRAPNO]};
        registers[REG_EFL] &= ~trap_flag;
        // The instruction that faults is not made again: its function returns to the caller.
        if (info->si_signo != SIGTRAP && seen_.exception != overflow) {
            // A register holds an address as a number.
            const auto* const stack =
                reinterpret_cast<const greg_t*>(registers[REG_RSP]);  // NOLINT
            registers[REG_RIP] = *stack;
            registers[REG_RSP] += static_cast<greg_t>(sizeof *stack);
        }
    }

    static inline Seen seen_;
    unsigned char* page_ = nullptr;
    const void* beyond_ = nullptr;
};

const mosrig::guest::KindOf<FaultsOneByOne> faults("faults-one-by-one");

}  // namespace
