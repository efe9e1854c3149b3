// SPDX-License-Identifier: MIT
// network.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "harness/cli/verbs.h"
#include "harness/cluster/cluster.h"
#include "harness/fabric/control.h"

namespace mosrig::cli {

namespace {

struct NetworkFlags {
    std::optional<int> delay_ms;
    std::optional<int> loss_permille;
    bool good = false;
    bool json = false;
};

Result<fabric::SwitchState> change(const Places& places, const NetworkFlags& flags) {
    MOSRIG_TRY(const ClusterInfo info, load_cluster_info(places.state));
    const std::filesystem::path control = fabric::control_path(info.fabric_socket);
    const Deadline deadline("the network's answer", Millis(10'000));
    MOSRIG_TRY(const fabric::SwitchState now, fabric::ask_switch(control, std::nullopt, deadline));
    const fabric::Impairment begin = flags.good ? fabric::Impairment{} : now.impairment;
    const fabric::Impairment order{Millis(flags.delay_ms.value_or(begin.delay.count())),
                                   flags.loss_permille.value_or(begin.loss_permille)};
    return fabric::ask_switch(control, order, deadline);
}

int run_network(const Places& places, const NetworkFlags& flags) {
    const auto state = change(places, flags);
    if (!state) {
        return complain(state.error(), exit_code(state.error()));
    }
    const fabric::SwitchCounters& counters = state->counters;
    if (flags.json) {
        nlohmann::json json = to_json(state->impairment);
        json["frames"] = counters.frames;
        json["dropped"] = counters.dropped;
        json["lost"] = counters.lost;
        fmt::print("{}\n", json.dump());
        return exit_ok;
    }
    fmt::print("each frame is delayed by {} ms, and {} of 1000 are lost\n",
               state->impairment.delay.count(), state->impairment.loss_permille);
    fmt::print("so far {} frames, {} lost, {} dropped for want of room\n", counters.frames,
               counters.lost, counters.dropped);
    return exit_ok;
}

}  // namespace

Verb add_network(CLI::App& parser, const Places& places) {
    auto flags = std::make_shared<NetworkFlags>();
    CLI::App* const app = parser.add_subcommand(
        "network", "Show the network between the nodes, or make it bad: delayed or lossy");
    app->add_option("--delay", flags->delay_ms, "ms by which each frame is late, each way")
        ->check(CLI::Range(0, 10'000));
    app->add_option("--loss", flags->loss_permille, "frames of 1000 that are lost, at random")
        ->check(CLI::Range(0, 1000));
    app->add_flag("--good", flags->good, "what is not said otherwise is as it was at the start");
    app->add_flag("--json", flags->json, "as JSON");
    return {app, [flags, &places] { return run_network(places, *flags); }};
}

}  // namespace mosrig::cli
