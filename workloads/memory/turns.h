// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/lib/wrong.h"

namespace mosrig::guest {

// Writes its turn into the first word of each page, which must say the turn before; nullptr, or
// what a page says instead.
inline const char* turn_pages(uint64_t* start, size_t pages, uint64_t turn) {
    constexpr size_t words = 4096 / sizeof(uint64_t);
    for (size_t at = 0; at < pages; ++at) {
        volatile uint64_t& word = start[at * words];
        if (word != turn - 1) {
            return differs("turn of a page", static_cast<long long>(word),
                           static_cast<long long>(turn) - 1);
        }
        word = turn;
    }
    return nullptr;
}

}  // namespace mosrig::guest
