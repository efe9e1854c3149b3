// SPDX-License-Identifier: MIT
// Nodes that do not take a process: for want of room, and because they are told so.
#pragma once

#include <functional>

#include "harness/conformance/stage.h"

namespace mosrig {

// While `played`, a process of that node may have but few mappings: fewer than one that is to be
// refused there.
Result<void> with_few_mappings(Stage& stage, Machine& machine,
                               const std::function<Result<void>()>& played);

// A process that goes on from the guest to a third node is refused there, before and after home has
// heard that this node is blocked. Each time one copy lives, where home says.
Result<void> play_blocked(Stage& stage, const Run& run);

}  // namespace mosrig
