// SPDX-License-Identifier: GPL-2.0-only
// Which processes mps lists, and how.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/result.h"
#include "mps/row.h"

namespace mosrig {

struct MpsOptions {
    bool everybody = false;           // other users' processes too
    bool without_tty = false;         // those without a terminal too
    bool users = false;               // the format with users and sizes
    std::set<int> pids;               // -p
    std::optional<std::string> user;  // -u
};

// Options as ps has them: a x u e A f w with or without a dash, -p LIST, -u USER.
Result<MpsOptions> parse_mps_options(const std::vector<std::string>& words);

// Whether a process is listed, for a caller with this user id and terminal.
bool is_listed(const ProcessRow& row, const MpsOptions& options, unsigned uid,
               const std::string& tty);

}  // namespace mosrig
