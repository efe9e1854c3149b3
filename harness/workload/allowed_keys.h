// SPDX-License-Identifier: MIT
// What a description may say, by its procedure: a key that this does not read would assert nothing.
#pragma once

#include <set>
#include <string>

#include "harness/workload/description.h"

namespace mosrig {

using Keys = std::set<std::string>;

// Of a run.
const Keys& run_keys(Procedure procedure);

// Of each of its phases.
const Keys& phase_keys(Procedure procedure);

// Whether its runs start a program of theirs, and so must say which.
bool needs_command(Procedure procedure);

}  // namespace mosrig
