// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "harness/cli/suite.h"
#include "harness/cluster/cluster.h"

namespace mosrig {

// The head of results.json: what ran, on what, and how slow that is (`factor`, of the calibration).
nlohmann::json head_of_run(const ConformanceOptions& options, const ClusterInfo& info,
                           double factor);

}  // namespace mosrig
