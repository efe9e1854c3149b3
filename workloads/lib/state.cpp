// SPDX-License-Identifier: MIT
#include "state.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bytes.h"

namespace mosrig::guest {

char state_of(pid_t pid) {
    char path[64];
    char text[512] = {};
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    (void)read_text(path, text, sizeof text);
    const char* end = strrchr(text, ')');
    return end != nullptr ? end[2] : '?';
}

bool await_state(pid_t pid, char state, int times) {
    constexpr int most = 20000;
    for (int look = 0, seen = 0; look < most; ++look) {
        seen = state_of(pid) == state ? seen + 1 : 0;
        if (seen == times) {
            return true;
        }
        (void)usleep(1000);
    }
    return false;
}

int place_of(pid_t pid) {
    char path[32];
    char text[16] = {};
    (void)snprintf(path, sizeof path, "/proc/%d/where", pid);
    return read_text(path, text, sizeof text) > 0 ? atoi(text) : -1;
}

}  // namespace mosrig::guest
