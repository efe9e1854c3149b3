// SPDX-License-Identifier: GPL-2.0-only
// The table that setpe reads and writes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/map.h"

namespace mosrig {

// Which node of a table this one is: `wanted` (of -p) if given, else the first whose address it
// has. Errors say what to do about it.
Result<MapNode> own_in_table(const std::vector<MapNode>& nodes, std::optional<std::uint32_t> wanted,
                             const std::function<bool(std::uint32_t address)>& is_local);

// The nodes as a table, with what a person wants to know in comments.
std::string format_table(const std::vector<MapNode>& nodes, std::uint32_t self);

}  // namespace mosrig
