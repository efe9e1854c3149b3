// SPDX-License-Identifier: MIT
#include "bytes.h"

#include <unistd.h>

#include <cerrno>

namespace mosrig::guest {

namespace {

unsigned char byte_at(size_t place, uint64_t seed) {
    const uint64_t mixed = (place / 8 + seed * 0x9E3779B97F4A7C15ULL) * 6364136223846793005ULL;
    return static_cast<unsigned char>(mixed >> (24 + place % 8 * 4));
}

}  // namespace

void fill_bytes(unsigned char* bytes, size_t count, uint64_t seed) {
    for (size_t place = 0; place < count; ++place) {
        bytes[place] = byte_at(place, seed);
    }
}

bool same_bytes(const unsigned char* bytes, size_t count, uint64_t seed) {
    for (size_t place = 0; place < count; ++place) {
        if (bytes[place] != byte_at(place, seed)) {
            return false;
        }
    }
    return true;
}

bool write_all(int fd, const void* bytes, size_t count) {
    const auto* at = static_cast<const char*>(bytes);
    while (count > 0) {
        const ssize_t done = write(fd, at, count);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        at += done;
        count -= static_cast<size_t>(done);
    }
    return true;
}

bool read_all(int fd, void* bytes, size_t count) {
    auto* at = static_cast<char*>(bytes);
    while (count > 0) {
        const ssize_t done = read(fd, at, count);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            errno = done == 0 ? 0 : errno;
            return false;
        }
        at += done;
        count -= static_cast<size_t>(done);
    }
    return true;
}

}  // namespace mosrig::guest
