// SPDX-License-Identifier: MIT
// A cluster comes up and goes down.
//
// Up: plan, record, make keys and seeds and overlays, start the switch and the nodes, wait until
// they are linked. Down: undo what was recorded, in reverse, from any half state.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/progress.h"
#include "harness/hypervisor/hypervisor.h"

namespace mosrig {

// Where things are; the same for all verbs.
struct Places {
    std::filesystem::path state = default_state_dir();
    std::filesystem::path source;  // top of the checkout
    std::filesystem::path build;   // mosrig-switch and guest/bin
    std::filesystem::path cache;   // kernels, images, the KVM probe's answer
};

// The flags that change what a cluster is. Empty or 0: as cluster.yml says.
struct ClusterFlags {
    int nodes = 0;
    std::string kernel;
    std::string image;
    std::string mutant;
    std::string accelerator;  // kvm or tcg, empty: as the probe finds
    std::filesystem::path config;
    std::vector<std::string> more;  // passed to the renderer as they are

    [[nodiscard]] bool any() const {
        return nodes != 0 || !kernel.empty() || !image.empty() || !mutant.empty() ||
               !accelerator.empty() || !config.empty() || !more.empty();
    }

    // The same as the command line of `mosrig up` and of the renderer, without "up".
    [[nodiscard]] std::vector<std::string> words() const;
};

// In the state directory: whether KVM works here and why not, in the words of results.json's
// kvm_probe. Missing if nobody had to ask.
constexpr const char* kvm_probe_file = "kvm_probe.json";

// What to do with a cluster that runs with another configuration.
enum class IfDifferent { replace, refuse };

enum class UpOutcome { started, already_up, replaced };

// Makes a connection to the hypervisor; a test gives a fake.
using Connector = std::function<Result<std::unique_ptr<Hypervisor>>(const std::string& uri)>;

// The words() of the flags with which the cluster that is up was started.
Result<std::vector<std::string>> words_of_start(const std::filesystem::path& state);

Result<UpOutcome> bring_up(const Places& places, const ClusterFlags& flags, IfDifferent different,
                           const Progress& progress);

// Not an error if nothing is up. Gives whether anything was there.
Result<bool> take_down(const Places& places, const Progress& progress,
                       const Connector& connect = connect_libvirt);

// Copies the consoles of the cluster in `state` into `folder`, where they outlive it; a node that
// has a console there already gets the new one added to it. Not an error if there are none.
Result<void> keep_consoles(const std::filesystem::path& state, const std::filesystem::path& folder);

// Whether the last `up` on this state directory came to its end.
bool is_complete(const std::filesystem::path& state);

// Whether all nodes of a cluster that was brought up completely still run.
bool cluster_is_running(const std::filesystem::path& state);

// Whether the nodes of the cluster that is up have the programs that are built now.
Result<bool> has_current_programs(const Places& places);

struct NodeStatus {
    NodeInfo info;
    DomainState state = DomainState::absent;
};

// Empty if no cluster is up.
struct ClusterStatus {
    std::optional<ClusterInfo> cluster;
    bool complete = false;
    std::vector<NodeStatus> nodes;
};
Result<ClusterStatus> cluster_status(const std::filesystem::path& state,
                                     const Connector& connect = connect_libvirt);

}  // namespace mosrig
