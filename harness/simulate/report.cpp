// SPDX-License-Identifier: MIT
#include "harness/simulate/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mosrig::simulate {
namespace {

std::string number(double value, int digits) {
    return value < 0 ? "-" : fmt::format("{:.{}f}", value, digits);
}

nlohmann::ordered_json known(double value) {
    return value < 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(value);
}

}  // namespace

std::string table(const std::vector<Run>& runs) {
    std::string text = fmt::format(
        "{:>6} {:>6} {:>6} {:>8} {:>8} {:>7} {:>7} {:>6} {:>8} {:>8} {:>9} {:>9} {:>7} {:>6}\n",
        "policy", "nodes", "jobs", "99% s", "all s", "moves", "least", "later", "msg/n/s", "us/n/s",
        "makespan", "optimum", "ratio", "lost");
    for (const auto& [scenario, outcome] : runs) {
        const double ratio = outcome.optimum_s > 0 ? outcome.makespan_s / outcome.optimum_s : -1;
        text += fmt::format(
            "{:>6} {:>6} {:>6} {:>8} {:>8} {:>7} {:>7} {:>6} {:>8} {:>8} {:>9} {:>9} {:>7} {:>6}\n",
            policy_word(scenario.policy), scenario.nodes, scenario.jobs,
            number(outcome.nearly_s, 1), number(outcome.balanced_s, 1), outcome.moves,
            outcome.least_moves, outcome.later_moves, number(outcome.messages, 2),
            number(outcome.daemon_us, 1), number(outcome.makespan_s, 1),
            number(outcome.optimum_s, 1), number(ratio, 3), outcome.lost);
    }
    return text;
}

std::string json(const std::vector<Run>& runs) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& [scenario, outcome] : runs) {
        const double ratio = outcome.optimum_s > 0 ? outcome.makespan_s / outcome.optimum_s : -1;
        list.push_back({{"policy", policy_word(scenario.policy)},
                        {"nodes", scenario.nodes},
                        {"jobs", scenario.jobs},
                        {"seed", scenario.seed},
                        {"place", scenario.place},
                        {"sizes", scenario.sizes},
                        {"loss", scenario.loss},
                        {"churn", scenario.churn},
                        {"mixed", scenario.mixed},
                        {"balanced_s", known(outcome.balanced_s)},
                        {"nearly_balanced_s", known(outcome.nearly_s)},
                        {"moves", outcome.moves},
                        {"moves_to_balance", outcome.moves_to_balance},
                        {"least_moves", outcome.least_moves},
                        {"later_moves", outcome.later_moves},
                        {"later_watched_s", outcome.watched_s},
                        {"requests_refused", outcome.refused},
                        {"messages_per_node_s", outcome.messages},
                        {"loads_told_per_node_s", outcome.loads},
                        {"policy_steps_per_node_s", outcome.steps},
                        {"nodes_remembered", outcome.remembered},
                        {"daemon_cpu_us_per_s", known(outcome.daemon_us)},
                        {"simulator_cpu_us_per_node_s", outcome.cpu_us},
                        {"makespan_s", known(outcome.makespan_s)},
                        {"optimum_s", known(outcome.optimum_s)},
                        {"makespan_ratio", known(ratio)},
                        {"mean_slowdown", known(outcome.slowdown)},
                        {"jobs_lost", outcome.lost},
                        {"simulated_s", outcome.simulated_s},
                        {"real_s", outcome.real_s}});
    }
    return nlohmann::ordered_json{{"runs", list}}.dump(2) + "\n";
}

}  // namespace mosrig::simulate
