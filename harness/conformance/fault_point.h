// SPDX-License-Identifier: MIT
// The kernel's fault point, and what a cluster has to be like after a failure.
#pragma once

#include <string>

#include "harness/conformance/stage.h"

namespace mosrig {

// Orders a failure (SIDE:MESSAGE:ACTION, or "none") on a node. Skips the case if its kernel has no
// fault point.
Result<void> arm_fault(Stage& stage, Machine& machine, const std::string& order);

// Waits until what was ordered has happened. Gives the last moment at which it may not have
// happened yet, which is no earlier than `ordered`.
Result<Clock::time_point> await_fault(Stage& stage, Machine& machine,
                                      Clock::time_point ordered = Clock::now());

// How often it has happened since it was ordered.
Result<int> fault_hits(Stage& stage, Machine& machine);

// Waits until the process, which is at home, can be moved to the other node, and moves it there.
Result<void> await_link(Stage& stage, std::int64_t pid);

}  // namespace mosrig
