// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <cstring>

namespace mosrig::guest {

// The value after `--name` on the command line, or `fallback`.
inline long option(int argc, char** argv, const char* name, long fallback) {
    for (int index = 1; index + 1 < argc; ++index) {
        if (strcmp(argv[index], name) == 0) {
            return strtol(argv[index + 1], nullptr, 10);
        }
    }
    return fallback;
}

// Whether the word stands on the command line.
inline bool flag(int argc, char** argv, const char* name) {
    for (int index = 1; index < argc; ++index) {
        if (strcmp(argv[index], name) == 0) {
            return true;
        }
    }
    return false;
}

}  // namespace mosrig::guest
