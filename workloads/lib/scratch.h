// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace mosrig::guest {

// Private memory of no file, all zero; nullptr with errno if there can be none. It may be more
// than the node has, as long as nobody writes to all of it.
unsigned char* map_private(size_t size);

// Whether there is nothing at all where these pages would be.
bool is_unmapped(unsigned char* start, size_t size);

// An open file without a name; -1 with errno if there can be none. On a disk where the node has
// one: /tmp may be in memory.
int scratch_file(int flags);

// Another descriptor of an open file, with an access mode of its own; -1 with errno. A file that
// somebody has open for writing keeps who maps a shared view of it at home.
int reopen(int fd, int flags);

// The same file by a descriptor that can only read, in place of the given one, which is closed.
int only_to_read(int fd);

// A view of an open file, made by a descriptor that may only read it: nobody can write into the
// file through it, whatever its protection becomes. MAP_FAILED with errno.
void* map_to_read(int fd, size_t size, int protection, int flags);

// Whether the pages of the file are all there is of it. Whoever maps such a file shared stays.
bool in_memory(int fd);

}  // namespace mosrig::guest
