// SPDX-License-Identifier: MIT
//
// The segment registers, which a program of 64 bits need not load, and may. With FSGSBASE their
// bases are loaded as well, each apart from its segment.
#include <sys/auxv.h>

#include <cstdint>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

// About a tenth of a second, also under emulation: it must not take longer than a rig waits.
constexpr uint64_t spins = 20000000;
// What Linux gives programs: their data.
constexpr uint16_t user_data = 0x2B;
constexpr uint64_t base = 0x123456789000;

class Selectors final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override { return nullptr; }
    const char* lacks() override {
        constexpr unsigned long hwcap2_fsgsbase = 2;
        return (getauxval(AT_HWCAP2) & hwcap2_fsgsbase) == 0
                   ? "a processor whose programs may set the bases of segments"
                   : nullptr;
    }
    int patience_ms() const override { return 0; }

  protected:
    // Loading FS loses its base, where threads' own data are: nothing of them is used until it is
    // back.
    __attribute__((target("fsgsbase"))) const char* step() override {
        uint16_t fs = 0;
        uint16_t gs = 0;
        uint64_t fs_base = 0;
        uint64_t gs_base = 0;
        uint64_t threads = 0;
        asm volatile(
            "rdfsbase %[threads]\n"
            "mov %[selector], %%fs\n wrfsbase %[threads]\n"
            "mov %[selector], %%gs\n wrgsbase %[base]\n"
            "mov %[spins], %%rcx\n 1: dec %%rcx\n jnz 1b\n"
            "mov %%fs, %[fs]\n rdfsbase %[fs_base]\n"
            "mov %%gs, %[gs]\n rdgsbase %[gs_base]\n"
            "xor %%ecx, %%ecx\n mov %%ecx, %%fs\n wrfsbase %[threads]\n mov %%ecx, %%gs\n"
            : [threads] "=&r"(threads), [fs] "=&r"(fs), [gs] "=&r"(gs), [fs_base] "=&r"(fs_base),
              [gs_base] "=&r"(gs_base)
            : [selector] "r"(uint32_t{user_data}), [base] "r"(base), [spins] "r"(spins)
            : "rcx", "memory", "cc");
        if (fs != user_data || gs != user_data) {
            return fs != user_data ? differs("FS", fs, user_data) : differs("GS", gs, user_data);
        }
        if (fs_base != threads) {
            return "the base of FS";
        }
        return gs_base != base ? "the base of GS" : nullptr;
    }
};

const KindOf<Selectors> selectors("selectors");

}  // namespace
