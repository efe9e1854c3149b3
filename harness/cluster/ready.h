// SPDX-License-Identifier: MIT
// When is a node up? When its init says so on the console, its sshd lets the rig in, and its omd
// has put links to all peers into the kernel's pool.
#pragma once

#include <functional>
#include <vector>

#include "harness/base/result.h"
#include "harness/cluster/progress.h"
#include "harness/deadline/calibration.h"
#include "harness/node/node.h"

namespace mosrig {

// What init writes last.
constexpr const char* ready_line = "mosrig: node ready";

// An error if a node runs no more, and so will never be up. Called by several threads.
using StillRuns = std::function<Result<void>(const Node&)>;

// Waits for all nodes at once, each with its own deadline, and leaves them connected. A boot error
// names the node and quotes the end of its console.
Result<void> wait_ready(std::vector<Node>& nodes, bool debug_kernel, const StillRuns& still_runs,
                        const Progress& progress);

// Measures how slow this cluster is.
Result<Calibration> calibrate(Node& node);

}  // namespace mosrig
