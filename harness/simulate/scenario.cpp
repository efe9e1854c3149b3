// SPDX-License-Identifier: MIT
#include "harness/simulate/scenario.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace mosrig::simulate {
namespace {

// std's distributions differ between libraries; a seed should mean the same everywhere.
double uniform(std::mt19937_64& random) {
    return static_cast<double>(random() >> 11U) * 0x1.0p-53;
}

}  // namespace

const char* policy_word(Policy policy) {
    switch (policy) {
        case Policy::none:
            return "none";
        case Policy::naive:
            return "naive";
        case Policy::ours:
            break;
    }
    return "ours";
}

std::vector<NodeSpec> make_nodes(const Scenario& scenario) {
    constexpr std::array<std::uint32_t, 3> cpu_choices{1, 2, 4};
    constexpr std::array<double, 3> speed_choices{0.5, 1, 2};
    std::mt19937_64 random(scenario.seed * 3 + 1);
    std::vector<NodeSpec> nodes(scenario.nodes);
    for (NodeSpec& node : nodes) {
        node.cpus = scenario.cpus;
        if (scenario.mixed) {
            node.cpus = cpu_choices.at(random() % 3);
            node.speed = speed_choices.at(random() % 3);
        }
        node.speed *= &node == nodes.data() ? 1 : scenario.faster;
        node.measured = node.speed * (1 - scenario.speed_noise * uniform(random));
    }
    return nodes;
}

std::vector<JobSpec> make_jobs(const Scenario& scenario) {
    constexpr double shape = 1.5;  // of the Pareto law; with 1 it would have no mean
    std::mt19937_64 random(scenario.seed * 5 + 2);
    const std::uint32_t few = std::max(1U, scenario.nodes / 10);
    std::vector<JobSpec> jobs(scenario.jobs);
    for (JobSpec& job : jobs) {
        const auto any = static_cast<std::uint32_t>(random());
        if (scenario.place == "random") {
            job.home = any % scenario.nodes;
        } else {
            job.home = scenario.place == "few" ? any % few : 0;
        }
        job.start_ms = uniform(random) * scenario.arrive_s * 1000;
        job.work_ms = scenario.work_s * 1000;
        if (scenario.sizes == "pareto") {
            const double least = job.work_ms * (shape - 1) / shape;
            job.work_ms = least / std::pow(1 - uniform(random), 1 / shape);
        }
    }
    return jobs;
}

}  // namespace mosrig::simulate
