// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>

namespace mosrig::guest {

// Nanoseconds by a clock; -1 if there is none such.
inline int64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
    struct timespec now = {};
    return clock_gettime(clock, &now) != 0 ? -1 : now.tv_sec * 1000000000LL + now.tv_nsec;
}

inline int64_t now_ms() {
    return now_ns() / 1000000;
}

}  // namespace mosrig::guest
