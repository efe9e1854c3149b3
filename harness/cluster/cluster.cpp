// SPDX-License-Identifier: MIT
#include "harness/cluster/cluster.h"

#include <fmt/format.h>

#include "harness/cluster/lifecycle.h"

namespace mosrig {

Result<const NodeInfo*> find_node(const ClusterInfo& info, const std::string& name) {
    std::string names;
    for (const NodeInfo& node : info.nodes) {
        if (node.name == name) {
            return &node;
        }
        names += (names.empty() ? "" : ", ") + node.name;
    }
    return usage_error(fmt::format("no node is called {}", name), "there are " + names);
}

Cluster::Cluster(const std::filesystem::path& state, ClusterInfo info, Calibration calibration)
    : info_(std::move(info)), calibration_(calibration) {
    for (const NodeInfo& node : info_.nodes) {
        nodes_.emplace_back(node, state / "keys");
    }
}

Result<Cluster> Cluster::open(const std::filesystem::path& state) {
    MOSRIG_TRY(ClusterInfo info, load_cluster_info(state));
    if (!is_complete(state)) {
        return infra_error("the cluster is not completely up",
                           "run `mosrig up`, or `mosrig down` to clear it");
    }
    MOSRIG_TRY(const Calibration calibration, Calibration::load(state));
    return Cluster(state, std::move(info), calibration);
}

Node* Cluster::node(int id) {
    for (Node& node : nodes_) {
        if (node.id() == id) {
            return &node;
        }
    }
    return nullptr;
}

Result<Node*> Cluster::find(const std::string& name) {
    MOSRIG_TRY(const NodeInfo* const info, find_node(info_, name));
    return node(info->id);
}

}  // namespace mosrig
