// SPDX-License-Identifier: MIT
//
// What a program does to its vdso: it changes a byte there, or unmaps it and jumps to where it was.
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <csetjmp>
#include <csignal>
#include <cstddef>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::Deed;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

// It is as long as that, and cannot be divided.
constexpr size_t size = size_t{2} * 4096;

unsigned char* vdso() {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel says where it is as a number
    return reinterpret_cast<unsigned char*>(getauxval(AT_SYSINFO_EHDR));
}

// A byte in the head of it that nobody uses. Whatever it was made, it is, everywhere.
class ChangedVdso final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        byte_ = vdso() + EI_PAD;
        value_ = *byte_;
        return nullptr;
    }

  protected:
    const char* act() override {
        if (mprotect(vdso(), size, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
            return failed("mprotect");
        }
        *byte_ = ++value_;
        return mprotect(vdso(), size, PROT_READ | PROT_EXEC) != 0 ? failed("mprotect") : check();
    }

    const char* check() override {
        const unsigned char seen = *byte_;
        return seen == value_ ? nullptr : differs("a byte of the vdso", seen, value_);
    }

  private:
    volatile unsigned char* byte_ = nullptr;
    unsigned char value_ = 0;
};

// Nothing is there any more, and a handler hears of it.
class UnmappedVdso final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { siglongjmp(back_, 1); };
        return sigaction(SIGSEGV, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
    }

  protected:
    const char* act() override {
        // Behind the first instructions, and amid those that a vdso may have there.
        constexpr size_t amid = 0x100;
        if (munmap(vdso(), size) != 0) {
            return failed("munmap");
        }
        if (sigsetjmp(back_, 1) == 0) {
            reinterpret_cast<void (*)()>(vdso() + amid)();
            return "a jump to where nothing is comes back";
        }
        return nullptr;
    }

  private:
    static inline sigjmp_buf back_;
};

const KindOf<ChangedVdso> changed_vdso("vdso-changed");
const KindOf<UnmappedVdso> unmapped_vdso("vdso-unmapped");

}  // namespace
