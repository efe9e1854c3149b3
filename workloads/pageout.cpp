// SPDX-License-Identifier: MIT
//
// pageout PID: sends all private memory of another process to swap, as a node short of memory
// would. Says how much that was; fails if nothing went there. Status 77: the node has no swap.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/bytes.h"

namespace {

using mosrig::guest::read_text;

char maps[1 << 20];

long swapped_out() {
    (void)read_text("/proc/vmstat", maps, sizeof maps);
    const char* found = strstr(maps, "\npswpout ");
    return found != nullptr ? strtol(found + 9, nullptr, 10) : 0;
}

int fail(const char* what) {
    (void)fprintf(stderr, "pageout: %s: %s\n", what, strerrorname_np(errno));
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: pageout PID\n");
        return 2;
    }
    constexpr int status_skip = 77;
    (void)read_text("/proc/swaps", maps, sizeof maps);
    const char* heading_end = strchr(maps, '\n');
    if (heading_end == nullptr || heading_end[1] == '\0') {
        return status_skip;
    }
    const pid_t pid = static_cast<pid_t>(strtol(argv[1], nullptr, 10));
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/maps", pid);
    const long before = swapped_out();
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0 || read_text(path, maps, sizeof maps) == 0) {
        return fail(path);
    }
    size_t total = 0;
    char* rest = nullptr;
    for (char* line = strtok_r(maps, "\n", &rest); line != nullptr;
         line = strtok_r(nullptr, "\n", &rest)) {
        char* end = nullptr;
        const unsigned long start = strtoul(line, &end, 16);
        const unsigned long stop = strtoul(end + 1, &end, 16);
        const struct iovec range = {reinterpret_cast<void*>(start), stop - start};  // NOLINT
        // What cannot be paged out (the vdso) is left alone.
        if (syscall(SYS_process_madvise, handle, &range, 1, MADV_PAGEOUT, 0) >= 0) {
            total += range.iov_len;
        } else if (errno != EINVAL && errno != ENOMEM) {
            return fail("process_madvise");
        }
    }
    const long pages = swapped_out() - before;
    (void)printf("%zu bytes, %ld pages to swap\n", total, pages);
    return pages > 0 ? 0 : 1;
}
