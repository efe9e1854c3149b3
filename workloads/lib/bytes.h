// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace mosrig::guest {

// Bytes that can be told from any others: each follows from the seed and from its place.
void fill_bytes(unsigned char* bytes, size_t count, uint64_t seed);
bool same_bytes(const unsigned char* bytes, size_t count, uint64_t seed);
// Whether they are all zero.
bool is_empty(const unsigned char* bytes, size_t count);

// All of it, over as many calls as it takes; false with errno of the call that failed, or 0 at an
// early end.
bool write_all(int fd, const void* bytes, size_t count);
bool read_all(int fd, void* bytes, size_t count);

// A small file as text, cut off after room - 1 bytes. Its length; 0 if it cannot be read.
size_t read_text(const char* path, char* text, size_t room);
// The number that follows the name in such a text; 0 if there is no such name.
long number_after(const char* text, const char* name);
// Writes text to a file that is there, as those of /proc; false with errno.
bool write_text(const char* path, const char* text);

}  // namespace mosrig::guest
