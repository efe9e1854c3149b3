// SPDX-License-Identifier: GPL-2.0-only
// What mosmon shows: one look at the cluster, from this node.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/hpc.h"

namespace mosrig {

struct NodeRow {
    NodeFigures figures;
    std::string name;
    std::size_t out = 0;  // processes of this node that are there
    std::size_t in = 0;   // guests from there that are here
};

struct Snapshot {
    std::uint32_t self = 0;
    std::vector<NodeRow> nodes;  // ascending by id
    std::map<std::string, std::string> stats;
};

Snapshot take_snapshot(const Hpc& hpc);

}  // namespace mosrig
