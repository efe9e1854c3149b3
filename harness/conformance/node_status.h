// SPDX-License-Identifier: MIT
// What a node knows of another: /proc/hpc/nodes/N/status.
#pragma once

#include <string>

#include "harness/conformance/stage.h"

namespace mosrig {

// Bits of a status, as the kernel's interface has them.
constexpr int node_configured = 1;
constexpr int node_up = 2;
constexpr int node_takes_none = 4;

// What `machine` knows of that node; an error if it is not configured there.
Result<int> read_node_status(Stage& stage, Machine& machine, int node);

// Waits until home has heard that a node is blocked, or is not any more.
Result<void> await_blocked(Stage& stage, const Machine& node, bool blocked);

// What became of a request that is to be refused by a node that takes nobody.
struct Refusal {
    bool on_its_way = false;  // that node said so, not home
    std::string errno_name;   // empty: it was not refused
};

// Asks for a move of a process of home, and waits for its end if it is taken.
Result<Refusal> ask_in_vain(Stage& stage, std::int64_t pid, int node);

}  // namespace mosrig
