// SPDX-License-Identifier: MIT
#include "bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

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

bool is_empty(const unsigned char* bytes, size_t count) {
    for (size_t place = 0; place < count; ++place) {
        if (bytes[place] != 0) {
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

size_t read_text(const char* path, char* text, size_t room) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t filled = 0;
    for (ssize_t count = fd < 0 ? 0 : 1; count > 0 && filled < room - 1;) {
        count = read(fd, text + filled, room - 1 - filled);
        filled += count > 0 ? static_cast<size_t>(count) : 0;
    }
    (void)close(fd);
    text[filled] = '\0';
    return filled;
}

long number_after(const char* text, const char* name) {
    const char* const at = strstr(text, name);
    return at != nullptr ? strtol(at + strlen(name), nullptr, 10) : 0;
}

bool write_text(const char* path, const char* text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const bool done = fd >= 0 && write_all(fd, text, strlen(text));
    (void)close(fd);
    return done;
}

}  // namespace mosrig::guest
