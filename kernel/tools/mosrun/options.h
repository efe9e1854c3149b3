// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"

namespace mosrig {

struct MosrunOptions {
    std::optional<unsigned> node;  // where to run; 0 is home; nothing: where it is
    std::optional<bool> lock;      // what to set the lock to; nothing: as the caller's
    std::string program;
    std::vector<std::string> arguments;  // argv of the program, from argv[0] on
};

/// Parses "[-h | -N] [-l | -L | -k] [-z] prog args" (without mosrun's own name).
///
/// Lock: -l or -L if given, whatever else is (the last of several); else as it is if -k; else set,
/// with -h or -N as well as without, as the manual of openMosix had it.
Result<MosrunOptions> parse_mosrun_options(const std::vector<std::string>& arguments);

}  // namespace mosrig
