// SPDX-License-Identifier: MIT
//
// State of the processor that lives in registers alone while the process is moved: SSE, AVX, MXCSR,
// x87, the segments of threads' data. Nearly all its time the program spins with all of them
// loaded, so a move finds it there, and so does a timer, whose handler loads them with something
// else.
#include <cpuid.h>
#include <sys/auxv.h>
#include <sys/time.h>

#include <csignal>
#include <cstdint>
#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

// About a tenth of a second, also under emulation: it must not take longer than a rig waits.
constexpr uint64_t spins = 20000000;

struct alignas(64) Image {
    unsigned char bytes[16 * 32];
};

void fill(Image& image, unsigned seed) {
    for (size_t at = 0; at < sizeof image.bytes; ++at) {
        image.bytes[at] = static_cast<unsigned char>(at * 7 + seed);
    }
}

// Once in each spin, at least.
const char* disturb(void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    const struct itimerval often = {{0, 50000}, {0, 50000}};
    return sigaction(SIGALRM, &action, nullptr) != 0 || setitimer(ITIMER_REAL, &often, nullptr) != 0
               ? mosrig::guest::failed("a timer")
               : nullptr;
}

class Sse final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return disturb(overwrite); }
    int patience_ms() const override { return 0; }

  protected:
    const char* step() override {
        Image in;
        Image out = {};
        // Rounding towards zero, flushing of what is denormal, and that a division by zero, which
        // never happens, is told; none of these is the default.
        const uint32_t control = (0x1F80 & ~0x0200) | 0x6000 | 0x8000;
        const uint16_t x87 = 0x0F7F & ~0x0004;
        uint32_t control_after = 0;
        uint16_t x87_after = 0;
        double kept = 0;
        const double value = 1.0 + ++turn_;
        fill(in, turn_);
        asm volatile(
            "stmxcsr %[saved]\n ldmxcsr %[control]\n"
            "fninit\n fldcw %[x87]\n fldl %[value]\n"
            "movdqa 0x00(%[in]), %%xmm0\n movdqa 0x10(%[in]), %%xmm1\n"
            "movdqa 0x20(%[in]), %%xmm2\n movdqa 0x30(%[in]), %%xmm3\n"
            "movdqa 0x40(%[in]), %%xmm4\n movdqa 0x50(%[in]), %%xmm5\n"
            "movdqa 0x60(%[in]), %%xmm6\n movdqa 0x70(%[in]), %%xmm7\n"
            "movdqa 0x80(%[in]), %%xmm8\n movdqa 0x90(%[in]), %%xmm9\n"
            "movdqa 0xa0(%[in]), %%xmm10\n movdqa 0xb0(%[in]), %%xmm11\n"
            "movdqa 0xc0(%[in]), %%xmm12\n movdqa 0xd0(%[in]), %%xmm13\n"
            "movdqa 0xe0(%[in]), %%xmm14\n movdqa 0xf0(%[in]), %%xmm15\n"
            "mov %[spins], %%rcx\n 1: dec %%rcx\n jnz 1b\n"
            "movdqa %%xmm0, 0x00(%[out])\n movdqa %%xmm1, 0x10(%[out])\n"
            "movdqa %%xmm2, 0x20(%[out])\n movdqa %%xmm3, 0x30(%[out])\n"
            "movdqa %%xmm4, 0x40(%[out])\n movdqa %%xmm5, 0x50(%[out])\n"
            "movdqa %%xmm6, 0x60(%[out])\n movdqa %%xmm7, 0x70(%[out])\n"
            "movdqa %%xmm8, 0x80(%[out])\n movdqa %%xmm9, 0x90(%[out])\n"
            "movdqa %%xmm10, 0xa0(%[out])\n movdqa %%xmm11, 0xb0(%[out])\n"
            "movdqa %%xmm12, 0xc0(%[out])\n movdqa %%xmm13, 0xd0(%[out])\n"
            "movdqa %%xmm14, 0xe0(%[out])\n movdqa %%xmm15, 0xf0(%[out])\n"
            "fstpl %[kept]\n fnstcw %[x87_after]\n fninit\n"
            "stmxcsr %[control_after]\n ldmxcsr %[saved]\n"
            : [saved] "=m"(saved_), [kept] "=m"(kept), [x87_after] "=m"(x87_after),
              [control_after] "=m"(control_after)
            : [in] "r"(in.bytes), [out] "r"(out.bytes), [control] "m"(control), [x87] "m"(x87),
              [value] "m"(value), [spins] "r"(spins)
            : "rcx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
              "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        if (memcmp(in.bytes, out.bytes, 256) != 0) {
            return "an SSE register";
        }
        if ((control_after & 0xFFC0) != (control & 0xFFC0)) {
            return differs("MXCSR", control_after, control);
        }
        if (x87_after != x87 || kept != value) {
            return differs("x87", x87_after, x87);
        }
        return nullptr;
    }

  private:
    static void overwrite(int /*signal*/) {
        const uint32_t control = 0x1F80;
        asm volatile(
            "fninit\n fldpi\n ldmxcsr %[control]\n"
            "pcmpeqd %%xmm0, %%xmm0\n movdqa %%xmm0, %%xmm1\n movdqa %%xmm0, %%xmm2\n"
            "movdqa %%xmm0, %%xmm7\n movdqa %%xmm0, %%xmm8\n movdqa %%xmm0, %%xmm15\n"
            :
            : [control] "m"(control)
            : "xmm0", "xmm1", "xmm2", "xmm7", "xmm8", "xmm15");
    }

    uint32_t saved_ = 0;
    unsigned turn_ = 0;
};

class Avx final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        unsigned a = 0;
        unsigned b = 0;
        unsigned c = 0;
        unsigned d = 0;
        constexpr unsigned both = bit_AVX | bit_OSXSAVE;
        return __get_cpuid(1, &a, &b, &c, &d) == 0 || (c & both) != both
                   ? "this processor has no AVX"
                   : disturb(overwrite);
    }
    int patience_ms() const override { return 0; }

  protected:
    __attribute__((target("avx"))) const char* step() override {
        Image in;
        Image out = {};
        fill(in, ++turn_);
        asm volatile(
            "vmovdqu 0x000(%[in]), %%ymm0\n vmovdqu 0x020(%[in]), %%ymm1\n"
            "vmovdqu 0x040(%[in]), %%ymm2\n vmovdqu 0x060(%[in]), %%ymm3\n"
            "vmovdqu 0x080(%[in]), %%ymm4\n vmovdqu 0x0a0(%[in]), %%ymm5\n"
            "vmovdqu 0x0c0(%[in]), %%ymm6\n vmovdqu 0x0e0(%[in]), %%ymm7\n"
            "vmovdqu 0x100(%[in]), %%ymm8\n vmovdqu 0x120(%[in]), %%ymm9\n"
            "vmovdqu 0x140(%[in]), %%ymm10\n vmovdqu 0x160(%[in]), %%ymm11\n"
            "vmovdqu 0x180(%[in]), %%ymm12\n vmovdqu 0x1a0(%[in]), %%ymm13\n"
            "vmovdqu 0x1c0(%[in]), %%ymm14\n vmovdqu 0x1e0(%[in]), %%ymm15\n"
            "mov %[spins], %%rcx\n 1: dec %%rcx\n jnz 1b\n"
            "vmovdqu %%ymm0, 0x000(%[out])\n vmovdqu %%ymm1, 0x020(%[out])\n"
            "vmovdqu %%ymm2, 0x040(%[out])\n vmovdqu %%ymm3, 0x060(%[out])\n"
            "vmovdqu %%ymm4, 0x080(%[out])\n vmovdqu %%ymm5, 0x0a0(%[out])\n"
            "vmovdqu %%ymm6, 0x0c0(%[out])\n vmovdqu %%ymm7, 0x0e0(%[out])\n"
            "vmovdqu %%ymm8, 0x100(%[out])\n vmovdqu %%ymm9, 0x120(%[out])\n"
            "vmovdqu %%ymm10, 0x140(%[out])\n vmovdqu %%ymm11, 0x160(%[out])\n"
            "vmovdqu %%ymm12, 0x180(%[out])\n vmovdqu %%ymm13, 0x1a0(%[out])\n"
            "vmovdqu %%ymm14, 0x1c0(%[out])\n vmovdqu %%ymm15, 0x1e0(%[out])\n"
            "vzeroupper\n"
            :
            : [in] "r"(in.bytes), [out] "r"(out.bytes), [spins] "r"(spins)
            : "rcx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
              "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        return memcmp(in.bytes, out.bytes, sizeof in.bytes) != 0 ? "an AVX register" : nullptr;
    }

  private:
    __attribute__((target("avx"))) static void overwrite(int /*signal*/) {
        asm volatile("vzeroall"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    }

    unsigned turn_ = 0;
};

// The segment registers, which a program of 64 bits need not load, and may. With FSGSBASE their
// bases are loaded as well, each apart from its segment. What a handler loads stays loaded.
class Selectors final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return disturb(load_another); }
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
        int before = 0;
        int after = 0;
        asm volatile(
            "rdfsbase %[threads]\n"
            "mov %[selector], %%fs\n wrfsbase %[threads]\n"
            "mov %[selector], %%gs\n wrgsbase %[base]\n"
            "mov %[handled], %[before]\n"
            "mov %[spins], %%rcx\n 1: dec %%rcx\n jnz 1b\n"
            "mov %[handled], %[after]\n"
            "mov %%fs, %[fs]\n rdfsbase %[fs_base]\n"
            "mov %%gs, %[gs]\n rdgsbase %[gs_base]\n"
            "xor %%ecx, %%ecx\n mov %%ecx, %%fs\n wrfsbase %[threads]\n mov %%ecx, %%gs\n"
            : [threads] "=&r"(threads), [fs] "=&r"(fs), [gs] "=&r"(gs), [fs_base] "=&r"(fs_base),
              [gs_base] "=&r"(gs_base), [before] "=&r"(before), [after] "=&r"(after)
            : [selector] "r"(uint32_t{low_privilege}), [base] "r"(base), [spins] "r"(spins),
              [handled] "m"(handled_)
            : "rcx", "memory", "cc");
        if (fs != low_privilege) {
            return differs("FS", fs, low_privilege);
        }
        if (gs != user_data && (before != after || gs != low_privilege)) {
            return differs("GS", gs, before != after ? user_data : low_privilege);
        }
        if (fs_base != threads) {
            return "the base of FS";
        }
        return gs_base != base ? "the base of GS" : nullptr;
    }

  private:
    // What Linux gives programs, their data; and the same as a kernel would name it.
    static constexpr uint16_t user_data = 0x2B;
    static constexpr uint16_t low_privilege = 0x28;
    static constexpr uint64_t base = 0x123456789000;

    __attribute__((target("fsgsbase"))) static void load_another(int /*signal*/) {
        uint64_t kept = 0;
        asm volatile("rdgsbase %[kept]\n mov %[selector], %%gs\n wrgsbase %[kept]\n"
                     : [kept] "=&r"(kept)
                     : [selector] "r"(uint32_t{user_data}));
        handled_ = handled_ + 1;
    }

    // How often it did.
    static inline volatile sig_atomic_t handled_;
};

const KindOf<Sse> sse("sse");
const KindOf<Avx> avx("avx");
const KindOf<Selectors> selectors("selectors");

}  // namespace
