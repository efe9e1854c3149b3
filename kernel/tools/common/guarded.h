// SPDX-License-Identifier: GPL-2.0-only
// The last line of a program: what no code expected, memory that ran out, ends it with a word.
#pragma once

#include <cstdio>
#include <exception>

namespace mosrig {

// Runs `body` and returns its exit status, or `failure` after an exception.
template <class Body>
int guarded(const char* program, int failure, const Body& body) noexcept {
    try {
        return body();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program, error.what());
    } catch (...) {
        std::fprintf(stderr, "%s: unexpected failure\n", program);
    }
    return failure;
}

}  // namespace mosrig
