// SPDX-License-Identifier: GPL-2.0-only
#include "mosmon/model.h"

#include "common/file.h"
#include "common/process.h"

namespace mosrig {

Snapshot take_snapshot(const Hpc& hpc) {
    Snapshot snapshot;
    snapshot.self = hpc.self();
    snapshot.stats = hpc.stats();
    std::map<std::uint32_t, std::string> names;
    for (const MapNode& node : hpc.config().value_or(std::vector<MapNode>{})) {
        names[node.id] = node.name;
    }
    std::map<long, std::size_t> out;
    for (const std::uint32_t pid : numbers_in(hpc.places().proc())) {
        const Process process(static_cast<pid_t>(pid), hpc.places().proc());
        const long where = process.number("where").value_or(0);
        if (where > 0) {
            out[where]++;
        }
    }
    std::map<long, std::size_t> in;
    for (const auto& [pid, from] : hpc.guests()) {
        in[from]++;
    }
    for (const std::uint32_t id : hpc.nodes()) {
        snapshot.nodes.push_back({hpc.figures(id), names[id], out[id], in[id]});
    }
    return snapshot;
}

}  // namespace mosrig
