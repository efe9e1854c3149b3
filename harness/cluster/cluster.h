// SPDX-License-Identifier: MIT
// A running cluster as the tests see it. Bringing it up and down: lifecycle.h.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/deadline/calibration.h"
#include "harness/node/node.h"

namespace mosrig {

// cluster.json: everything that was resolved when the cluster was planned.
struct ClusterInfo {
    std::string name;         // tag of all that belongs to the cluster
    std::string accelerator;  // kvm or tcg
    std::string hypervisor_uri;
    std::filesystem::path kernel_dir;
    std::string kernel_release;  // uname -r
    std::string kernel_config;   // base, debug or custom
    std::string image_kind;      // debian or mini
    std::filesystem::path image_path;
    std::string mutant;  // empty if none
    std::filesystem::path fabric_socket;
    std::vector<NodeInfo> nodes;
};

// $MOSRIG_STATE if set, else $XDG_RUNTIME_DIR/mosrig, else /run/mosrig.
std::filesystem::path default_state_dir();

// Reads S/cluster.json.
Result<ClusterInfo> load_cluster_info(const std::filesystem::path& state);

// The node of that name; a usage error that lists the names if there is none.
Result<const NodeInfo*> find_node(const ClusterInfo& info, const std::string& name);

class Cluster {
  public:
    // Opens a cluster that `up` has brought up completely; an infra error with the remedy if there
    // is none.
    static Result<Cluster> open(const std::filesystem::path& state = default_state_dir());

    [[nodiscard]] const ClusterInfo& info() const { return info_; }
    // A named deadline, `nominal` from now on the reference, scaled to this cluster.
    [[nodiscard]] Deadline deadline(std::string name, Millis nominal) const {
        return calibration_.deadline(std::move(name), nominal);
    }

    [[nodiscard]] std::vector<Node>& nodes() { return nodes_; }
    // By openMosix id; nullptr if there is none.
    [[nodiscard]] Node* node(int id);
    // By name, as find_node().
    Result<Node*> find(const std::string& name);

  private:
    Cluster(const std::filesystem::path& state, ClusterInfo info, Calibration calibration);

    ClusterInfo info_;
    Calibration calibration_;
    std::vector<Node> nodes_;
};

}  // namespace mosrig
