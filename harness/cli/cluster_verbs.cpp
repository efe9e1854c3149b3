// SPDX-License-Identifier: MIT
// up, down, status.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/verbs.h"
#include "harness/hypervisor/daemons.h"

namespace mosrig::cli {

namespace {

void print_nodes(const ClusterInfo& cluster) {
    for (const NodeInfo& node : cluster.nodes) {
        fmt::print("{}  id {}  {}  {}  kernel {}\n", node.name, node.id, node.address,
                   cluster.accelerator, cluster.kernel_release);
    }
}

int run_up(const Places& places, const ClusterFlags& flags) {
    const auto outcome = bring_up(places, flags, IfDifferent::replace, progress_to_stderr());
    if (!outcome) {
        return complain(outcome.error(), exit_code(outcome.error()));
    }
    if (*outcome == UpOutcome::already_up) {
        fmt::print("the cluster is up already, with this configuration\n");
    }
    const auto cluster = load_cluster_info(places.state);
    if (!cluster) {
        return complain(cluster.error(), exit_infra);
    }
    print_nodes(*cluster);
    return exit_ok;
}

std::string state_word(const ClusterStatus& status, const NodeStatus& node) {
    if (node.state == DomainState::running) {
        return status.complete ? "running" : "starting";
    }
    return to_string(node.state);
}

nlohmann::json to_json(const ClusterStatus& status, const Places& places) {
    nlohmann::json nodes = nlohmann::json::array();
    for (const NodeStatus& node : status.nodes) {
        nodes.push_back({{"name", node.info.name},
                         {"id", node.info.id},
                         {"state", state_word(status, node)},
                         {"address", node.info.address},
                         {"accelerator", status.cluster->accelerator},
                         {"kernel", status.cluster->kernel_release},
                         {"profile", node.info.profile},
                         {"vcpus", node.info.vcpus},
                         {"memory_mib", node.info.memory_mib},
                         {"ssh_port", node.info.ssh_port},
                         {"console", node.info.console.string()}});
    }
    nlohmann::json json = {{"up", status.cluster.has_value() && status.complete},
                           {"state_dir", places.state.string()},
                           {"nodes", nodes}};
    if (status.cluster) {
        const ClusterInfo& cluster = *status.cluster;
        json["cluster"] = cluster.name;
        json["accelerator"] = cluster.accelerator;
        json["kernel"] = cluster.kernel_release;
        json["kernel_config"] = cluster.kernel_config;
        json["image"] = cluster.image_kind;
        json["mutant"] = cluster.mutant.empty() ? nlohmann::json() : nlohmann::json(cluster.mutant);
    }
    return json;
}

int run_status(const Places& places, bool json) {
    const auto status = cluster_status(places.state);
    if (!status) {
        return complain(status.error(), exit_infra);
    }
    if (json) {
        fmt::print("{}\n", to_json(*status, places).dump(2));
        return exit_ok;
    }
    if (!status->cluster) {
        fmt::print("no cluster is up\n");
        return exit_ok;
    }
    fmt::print("{:<8} {:>3} {:<10} {:<12} {:<12} {}\n", "NODE", "ID", "STATE", "ADDRESS",
               "ACCELERATOR", "KERNEL");
    for (const NodeStatus& node : status->nodes) {
        fmt::print("{:<8} {:>3} {:<10} {:<12} {:<12} {}\n", node.info.name, node.info.id,
                   state_word(*status, node), node.info.address, status->cluster->accelerator,
                   status->cluster->kernel_release);
    }
    return exit_ok;
}

}  // namespace

Verb add_up(CLI::App& parser, const Places& places) {
    auto flags = std::make_shared<ClusterFlags>();
    CLI::App* const app = parser.add_subcommand(
        "up", "Start the cluster; does nothing if it is up with the same configuration");
    add_cluster_flags(*app, *flags);
    return {app, [flags, &places] { return run_up(places, *flags); }};
}

Verb add_down(CLI::App& parser, const Places& places) {
    CLI::App* const app =
        parser.add_subcommand("down", "Stop the cluster and remove all that it left");
    return {app, [&places] {
                const auto done = take_down(places, progress_to_stderr());
                if (!done) {
                    return complain(done.error(), exit_code(done.error()));
                }
                fmt::print("{}\n", *done ? "the cluster is down" : "no cluster was up");
                return exit_ok;
            }};
}

Verb add_status(CLI::App& parser, const Places& places) {
    auto json = std::make_shared<bool>(false);
    CLI::App* const app = parser.add_subcommand("status", "Show the nodes");
    app->add_flag("--json", *json, "as JSON");
    return {app, [json, &places] { return run_status(places, *json); }};
}

}  // namespace mosrig::cli
