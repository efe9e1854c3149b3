// SPDX-License-Identifier: MIT
// Outcomes for a person and for a program.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "harness/simulate/scenario.h"

namespace mosrig::simulate {

using Run = std::pair<Scenario, Outcome>;

/// A table, one line a run; "-" for what a run cannot tell.
std::string table(const std::vector<Run>& runs);
/// The same and more, as JSON. Times in seconds; what a run cannot tell is null.
std::string json(const std::vector<Run>& runs);

}  // namespace mosrig::simulate
