// SPDX-License-Identifier: GPL-2.0-only
// Which node of the map this one is.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/map.h"

namespace mosrig {

// Whether an interface of this node has the address (host byte order).
bool is_local_address(std::uint32_t address);

// The first node of the map whose address an interface of this one has.
std::optional<MapNode> own_node(const std::vector<MapNode>& nodes);

}  // namespace mosrig
