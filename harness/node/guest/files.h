// SPDX-License-Identifier: MIT
// Files of a node, those of /proc first: each is read or written as a shell would.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mosrig::guest {

// Appends the content of a file. errno or 0; EFBIG beyond wire::max_read, counted with what `data`
// had before.
int read_whole(const std::string& path, std::string& data);

// Appends what /proc/N/`name` says for each process N, in the order of the listing. Those that end
// meanwhile are left out. errno of the listing, or EFBIG, or 0.
int read_of_each_process(const std::string& name, std::string& data);

// Opens the file (no O_CREAT) as `user`, writes `data` in one write(2), closes it. errno of the
// step that failed, or 0.
int write_whole(const std::string& path, std::string_view data, std::uint32_t user);

}  // namespace mosrig::guest
