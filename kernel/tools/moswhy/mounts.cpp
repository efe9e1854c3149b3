// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/mounts.h"

#include <fmt/format.h>
#include <sstream>

namespace mosrig {

// "22 1 254:1 / /mnt rw,noatime shared:1 - ext4 /dev/vda rw"
std::vector<Mount> parse_mounts(const std::string& text) {
    std::vector<Mount> mounts;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos) {
            continue;
        }
        Mount mount;
        std::string parent;
        unsigned major = 0;
        unsigned minor = 0;
        char colon = 0;
        if (std::istringstream(line) >> mount.id >> parent >> major >> colon >> minor &&
            std::istringstream(line.substr(dash + 3)) >> mount.type) {
            mount.device = fmt::format("{:02x}:{:02x}", major, minor);
            mounts.push_back(std::move(mount));
        }
    }
    return mounts;
}

}  // namespace mosrig
