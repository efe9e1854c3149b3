// SPDX-License-Identifier: GPL-2.0-only
// The mounted file systems that a process sees, from its mountinfo.
#pragma once

#include <string>
#include <vector>

namespace mosrig {

struct Mount {
    std::string id;      // as fdinfo has it in mnt_id
    std::string device;  // "fe:01", as in maps
    std::string type;    // "tmpfs"
};

// Parses mountinfo. Lines that are not understood are left out.
std::vector<Mount> parse_mounts(const std::string& text);

}  // namespace mosrig
