// SPDX-License-Identifier: GPL-2.0-only
// Where a node keeps what the tools read: below / or, for trying a tool, below another folder.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"

namespace mosrig {

struct Places {
    std::string root;  // "" for the node itself

    [[nodiscard]] std::string proc() const { return root + "/proc"; }
    [[nodiscard]] std::string hpc() const { return root + "/proc/hpc"; }
    [[nodiscard]] std::string map() const { return root + "/etc/openmosix.map"; }
    [[nodiscard]] std::string hosts() const { return root + "/etc/hosts"; }
    [[nodiscard]] std::string inittab() const { return root + "/etc/inittab"; }
    [[nodiscard]] std::string omd_socket() const { return root + "/run/openmosix/omd.sock"; }
    [[nodiscard]] std::string omd_pid() const { return root + "/run/omd.pid"; }
};

// Whether the running kernel is one of openMosix: it has /proc/hpc.
bool is_openmosix(const Places& places);

// Takes "--root DIR" or "--root=DIR" out of the words before any "--".
Result<Places> take_places(std::vector<std::string>& words);

}  // namespace mosrig
