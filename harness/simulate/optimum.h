// SPDX-License-Identifier: MIT
// What the best of all policies, that knows everything, would reach.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/simulate/scenario.h"

namespace mosrig::simulate {

/// Seconds that jobs which all start at once need at least, with free moves at any time: on CPUs
/// of different speeds the longest of work over capacity, and of the k longest jobs over the k
/// fastest CPUs, for each k (E. Horvath, S. Lam, R. Sethi, "A level algorithm for preemptive
/// scheduling", JACM 24, 1977). Later starts only make the bound weaker.
double least_makespan(const std::vector<NodeSpec>& nodes, const std::vector<JobSpec>& jobs);

/// Moves from `counts` jobs on each node to a placement in which no job would gain by moving.
std::uint64_t least_moves(const std::vector<NodeSpec>& nodes,
                          const std::vector<std::uint32_t>& counts);

}  // namespace mosrig::simulate
