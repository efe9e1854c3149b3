// SPDX-License-Identifier: MIT
#include "harness/hypervisor/host_tsc.h"

#include <chrono>
#include <thread>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace mosrig {

#if defined(__x86_64__)

namespace {

struct Reading {
    std::uint64_t ticks = 0;
    std::chrono::steady_clock::time_point at;
};

// Both clocks at one moment: of some tries the one that took the shortest, so that neither an
// interrupt nor another process lay between them.
Reading read_both() {
    Reading best;
    std::uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < 20; ++i) {
        const std::uint64_t before = __rdtsc();
        const auto at = std::chrono::steady_clock::now();
        const std::uint64_t took = __rdtsc() - before;
        if (took < shortest) {
            shortest = took;
            best = {before + took / 2, at};
        }
    }
    return best;
}

std::uint64_t measure(std::chrono::milliseconds span) {
    const Reading first = read_both();
    std::this_thread::sleep_for(span);
    const Reading second = read_both();
    const std::chrono::duration<double, std::milli> passed = second.at - first.at;
    return static_cast<std::uint64_t>(static_cast<double>(second.ticks - first.ticks) /
                                      passed.count());
}

}  // namespace

std::uint64_t host_tsc_khz() {
    const std::chrono::milliseconds half(25);
    const std::uint64_t one = measure(half);
    const std::uint64_t other = measure(half);
    const std::uint64_t apart = one > other ? one - other : other - one;
    return apart > one / 1000 ? 0 : (one + other) / 2;
}

#else

std::uint64_t host_tsc_khz() {
    return 0;
}

#endif

}  // namespace mosrig
