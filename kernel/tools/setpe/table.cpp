// SPDX-License-Identifier: GPL-2.0-only
#include "setpe/table.h"

#include <fmt/format.h>
#include <algorithm>

#include "common/hpc.h"

namespace mosrig {

Result<MapNode> own_in_table(const std::vector<MapNode>& nodes, std::optional<std::uint32_t> wanted,
                             const std::function<bool(std::uint32_t address)>& is_local) {
    const auto local = std::find_if(nodes.begin(), nodes.end(),
                                    [&](const MapNode& node) { return is_local(node.address); });
    if (!wanted) {
        return local != nodes.end()
                   ? Result<MapNode>(*local)
                   : fail(
                         "the table is well-formed, but no interface of this node has an address "
                         "of it: bring the network up first, add this node, or name it with -p");
    }
    const auto named = std::find_if(nodes.begin(), nodes.end(),
                                    [&](const MapNode& node) { return node.id == *wanted; });
    if (named == nodes.end()) {
        return fail(fmt::format("the table is well-formed, but has no node {}", *wanted));
    }
    return *named;
}

std::string format_table(const std::vector<MapNode>& nodes, std::uint32_t self) {
    std::string text = self == 0 ? "# This node is not configured\n"
                                 : fmt::format("# This is openMosix node #{}\n", self);
    text += "# Network protocol: 2 (AF_INET)\n";
    for (const NodeRange& range : ranges_of(nodes)) {
        const std::string address = format_address(range.address);
        text += range.count == 1 ? fmt::format("# openMosix node {} is at {}\n", range.id, address)
                                 : fmt::format("# openMosix range {}-{} begins at {}\n", range.id,
                                               range.id + range.count - 1, address);
        text += fmt::format("{} {} {}\n", range.id, address, range.count);
    }
    return text + fmt::format("# Total configured: {}\n", nodes.size());
}

}  // namespace mosrig
