// SPDX-License-Identifier: MIT
//
// Preloaded to a program that keeps its counters in memory shared with its children: each of them
// gets a copy of its own instead. stress-ng is such a program. Writable shared memory keeps all of
// its stressors at home; without it, one that is a single process can be moved while it verifies
// what it does, and its parent only lacks the statistics.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

void* map(void* address, size_t length, int access, int flags, int fd, off_t offset) {
    if ((flags & MAP_ANONYMOUS) != 0) {
        flags = (flags & ~MAP_TYPE) | MAP_PRIVATE;
    }
    // A pointer is what this call returns, though syscall() is declared for numbers.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    return reinterpret_cast<void*>(syscall(SYS_mmap, address, length, access, flags, fd, offset));
}

}  // namespace

extern "C" {

void* mmap(void* address, size_t length, int access, int flags, int fd, off_t offset) noexcept {
    return map(address, length, access, flags, fd, offset);
}

void* mmap64(void* address, size_t length, int access, int flags, int fd, off_t offset) noexcept {
    return map(address, length, access, flags, fd, offset);
}
}
