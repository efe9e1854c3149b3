// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <sys/types.h>
#include <chrono>
#include <string>
#include <vector>

#include "common/result.h"

namespace mosrig {

inline constexpr const char* migrate_usage = "usage: migrate [-t SEC] PID NODE|home|balance\n";

struct MigrateOptions {
    std::chrono::milliseconds patience{10000};
    pid_t pid = 0;
    std::string target;  // as given: a number, a name, "home" or "balance"
};

// Parses "[-t SEC] PID TARGET" (without the program's name).
Result<MigrateOptions> parse_migrate_options(const std::vector<std::string>& arguments);

}  // namespace mosrig
