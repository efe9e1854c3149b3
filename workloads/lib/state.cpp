// SPDX-License-Identifier: MIT
#include "state.h"

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "await.h"
#include "bytes.h"
#include "wrong.h"

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
    int seen = 0;
    return await([&] {
        seen = state_of(pid) == state ? seen + 1 : 0;
        return seen == times;
    });
}

const char* waits_in(pid_t pid) {
    static char text[64];
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/%d/wchan", pid);
    (void)read_text(path, text, sizeof text);
    return text;
}

const char* await_within(pid_t pid, const char* function) {
    const char* place = "";
    const bool within = await([&] {
        place = waits_in(pid);
        return strstr(place, function) != nullptr;
    });
    return within ? nullptr : reads("where it waits in the end", place);
}

long ticks_of(pid_t pid) {
    char path[64];
    char text[512] = {};
    unsigned long user = 0;
    unsigned long system = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    (void)read_text(path, text, sizeof text);
    const char* const end = strrchr(text, ')');
    return end != nullptr && sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                    &user, &system) == 2
               ? static_cast<long>(user + system)
               : -1;
}

const char* await_computing(pid_t pid) {
    constexpr long enough = 5;
    const long before = ticks_of(pid);
    return await([&] { return ticks_of(pid) >= before + enough; }) ? nullptr
                                                                   : "it does not compute";
}

int place_of(pid_t pid) {
    char path[32];
    char text[16] = {};
    (void)snprintf(path, sizeof path, "/proc/%d/where", pid);
    return read_text(path, text, sizeof text) > 0 ? atoi(text) : -1;
}

const char* await_no_call(pid_t pid) {
    return place_of(pid) > 0 ? await_within(pid, "om_deputy") : nullptr;
}

const char* bring_home(pid_t pid) {
    const bool brought = write_text("/proc/hpc/admin/bring", "1");
    const int place = place_of(pid);
    if (!write_text("/proc/hpc/admin/lstay", "0") || !brought) {
        return failed("bring");
    }
    return place != 0 ? differs("where it is once it was fetched", place, 0) : nullptr;
}

int open_memory(pid_t pid) {
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/%d/mem", pid);
    return open(path, O_RDWR | O_CLOEXEC);
}

const char* comes_home(pid_t pid) {
    int place = -1;
    const bool home = await([&] {
        place = place_of(pid);
        return place == 0;
    });
    return home ? nullptr : differs("where it is in the end", place, 0);
}

}  // namespace mosrig::guest
