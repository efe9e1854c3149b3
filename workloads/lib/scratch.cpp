// SPDX-License-Identifier: MIT
#include "scratch.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace mosrig::guest {

unsigned char* map_private(size_t size) {
    void* const start = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return start == MAP_FAILED ? nullptr : static_cast<unsigned char*>(start);
}

bool is_unmapped(unsigned char* start, size_t size) {
    constexpr size_t page = 4096;
    unsigned char resident = 0;
    for (size_t at = 0; at < size; at += page) {
        if (mincore(start + at, page, &resident) == 0 || errno != ENOMEM) {
            return false;
        }
    }
    return true;
}

int scratch_file(int flags) {
    char on_disk[] = "/var/tmp/mosrig-XXXXXX";
    char anywhere[] = "/tmp/mosrig-XXXXXX";
    char* const paths[] = {on_disk, anywhere};
    for (char* path : paths) {
        const int fd = mkostemp(path, flags);
        if (fd >= 0) {
            (void)unlink(path);
            return fd;
        }
    }
    return -1;
}

int reopen(int fd, int flags) {
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, flags | O_CLOEXEC);
}

int only_to_read(int fd) {
    const int reader = reopen(fd, O_RDONLY);
    (void)close(fd);
    return reader;
}

void* map_to_read(int fd, size_t size, int protection, int flags) {
    const int reader = reopen(fd, O_RDONLY);
    void* view = reader < 0 ? MAP_FAILED : mmap(nullptr, size, protection, flags, reader, 0);
    (void)close(reader);
    return view;
}

bool in_memory(int fd) {
    struct statfs system = {};
    return fstatfs(fd, &system) == 0 &&
           (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

}  // namespace mosrig::guest
