// SPDX-License-Identifier: MIT
// A picture of how time to balance and cost grow with the cluster.
#pragma once

#include <string>
#include <vector>

#include "harness/simulate/report.h"

namespace mosrig::simulate {

/// Sizes of clusters for a plot: 10 to @p largest, about three a decade.
std::vector<std::uint32_t> plot_sizes(std::uint32_t largest);

/// An SVG of three panels over the number of nodes: time to balance, messages per node and second,
/// CPU per node and second; a line for each policy.
std::string plot(const std::vector<Run>& runs);

}  // namespace mosrig::simulate
