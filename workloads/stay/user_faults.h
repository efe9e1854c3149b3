// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace mosrig::guest {

// A descriptor that serves faults of this process's user code; -1 with errno.
inline int open_user_faults() {
    const int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
    struct uffdio_api api = {};
    api.api = UFFD_API;
    return fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 ? fd : -1;
}

// From now on it serves those of memory where nothing is yet; false with errno.
inline bool register_missing(int fd, const volatile void* start, size_t size) {
    struct uffdio_register list = {};
    list.range = {reinterpret_cast<__u64>(start), size};
    list.mode = UFFDIO_REGISTER_MODE_MISSING;
    return ioctl(fd, UFFDIO_REGISTER, &list) == 0;
}

}  // namespace mosrig::guest
