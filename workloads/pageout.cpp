// SPDX-License-Identifier: MIT
//
// pageout PID: sends all private memory of another process to swap, as a node short of memory
// would. Says how much that was; fails if nothing went there. Status 77: the node has no swap.
// A child goes on with all but the large mappings, until the process ends: what is written to those
// is on its way from there meanwhile.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "lib/bytes.h"

namespace {

using mosrig::guest::read_text;

char maps[1 << 20];

long swapped_out() {
    (void)read_text("/proc/vmstat", maps, sizeof maps);
    return mosrig::guest::number_after(maps, "\npswpout ");
}

int fail(const char* what) {
    (void)fprintf(stderr, "pageout: %s: %s\n", what, strerrorname_np(errno));
    return 1;
}

// The mappings up to that size. How many bytes that was; -1 with errno.
ssize_t page_out(pid_t pid, int handle, size_t most) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/maps", pid);
    if (read_text(path, maps, sizeof maps) == 0) {
        return -1;
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
        if (range.iov_len > most) {
            continue;
        }
        if (syscall(SYS_process_madvise, handle, &range, 1, MADV_PAGEOUT, 0) >= 0) {
            total += range.iov_len;
        } else if (errno != EINVAL && errno != ENOMEM) {
            return -1;
        }
    }
    return static_cast<ssize_t>(total);
}

// In a child, which nobody waits for: its output is no one's either.
bool go_on(pid_t pid, int handle) {
    const pid_t child = fork();
    if (child != 0) {
        return child > 0;
    }
    const int nowhere = open("/dev/null", O_RDWR);
    if (setsid() < 0 || nowhere < 0) {
        _exit(1);
    }
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        (void)dup2(nowhere, standard);
    }
    // It needs some time between to get them back.
    constexpr int rest_ms = 5;
    constexpr size_t large = size_t{4} << 20U;
    struct pollfd its_end = {handle, POLLIN, 0};
    while (poll(&its_end, 1, rest_ms) == 0) {
        (void)page_out(pid, handle, large);
    }
    _exit(0);
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
    const long before = swapped_out();
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) {
        return fail("pidfd_open");
    }
    const ssize_t total = page_out(pid, handle, SIZE_MAX);
    if (total < 0) {
        return fail("process_madvise");
    }
    const long pages = swapped_out() - before;
    (void)printf("%zd bytes, %ld pages to swap\n", total, pages);
    (void)fflush(stdout);
    if (!go_on(pid, handle)) {
        return fail("fork");
    }
    return pages > 0 ? 0 : 1;
}
