// SPDX-License-Identifier: MIT
// A program that descends from inittab's rc lines: a boot script of the node starts it, run by init
// as it enters a run level.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/conformance/stage.h"

namespace mosrig {

// Has the run's program started so at home, and waits until it is READY. Skips the case where init
// knows no run levels.
Result<Subject> start_from_boot_script(Stage& stage, const Run& run);

// The boot script for a command: it talks over the fifos `in` and `out` of `folder`, and the status
// of its end goes to `status` there. It stays the command's parent.
std::string boot_script(const std::string& folder, const std::vector<std::string>& command);

// The script that stands for the command at the rig's end: what it reads the command reads, what
// the command prints it prints, and its status is the command's.
std::string relay_script(const std::string& folder);

}  // namespace mosrig
