// SPDX-License-Identifier: MIT
// simulate: the balancer's policy in virtual time. Needs no cluster.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <memory>

#include "harness/cli/verbs.h"
#include "harness/simulate/plot.h"
#include "harness/simulate/report.h"
#include "harness/simulate/scenario.h"

namespace mosrig::cli {

namespace {

struct Arguments {
    simulate::Scenario scenario;
    std::vector<std::string> policies{"ours"};
    unsigned repeat = 1;
    bool jobs_given = false;
    bool json = false;
    std::string plot;
};

simulate::Policy policy_of(const std::string& word) {
    if (word == "none") {
        return simulate::Policy::none;
    }
    return word == "naive" ? simulate::Policy::naive : simulate::Policy::ours;
}

int simulate_all(const Arguments& arguments) {
    std::vector<std::uint32_t> sizes{arguments.scenario.nodes};
    if (!arguments.plot.empty()) {
        sizes = simulate::plot_sizes(arguments.scenario.nodes);
    }
    const double per_node = arguments.jobs_given ? static_cast<double>(arguments.scenario.jobs) /
                                                       arguments.scenario.nodes
                                                 : 1;
    // Before all those runs: can it be written?
    std::ofstream file;
    const auto cannot_write = [&] {
        return complain(errno_error("cannot write " + arguments.plot, errno).value(), exit_infra);
    };
    if (!arguments.plot.empty()) {
        file.open(arguments.plot);
        if (!file) {
            return cannot_write();
        }
    }
    std::vector<simulate::Run> runs;
    for (const std::string& word : arguments.policies) {
        for (const std::uint32_t size : sizes) {
            for (unsigned round = 0; round < arguments.repeat; round++) {
                simulate::Scenario scenario = arguments.scenario;
                scenario.policy = policy_of(word);
                scenario.nodes = size;
                scenario.jobs =
                    std::max(1U, static_cast<std::uint32_t>(std::lround(per_node * size)));
                scenario.seed += round;
                scenario.measure = true;
                if (!arguments.plot.empty()) {
                    fmt::print(stderr, "{}, {} nodes, {} jobs ...\n", word, size, scenario.jobs);
                }
                runs.emplace_back(scenario, simulate::run(scenario));
            }
        }
    }
    if (!arguments.plot.empty()) {
        file << simulate::plot(runs);
        if (!file.flush()) {
            return cannot_write();
        }
    }
    fmt::print("{}", arguments.json ? simulate::json(runs) : simulate::table(runs));
    return exit_ok;
}

}  // namespace

Verb add_simulate(CLI::App& parser) {
    auto arguments = std::make_shared<Arguments>();
    simulate::Scenario& scenario = arguments->scenario;
    CLI::App* const app =
        parser.add_subcommand("simulate", "Run the balancer's policy on a cluster in virtual time");
    app->add_option("--nodes", scenario.nodes, "number of nodes (default: 100)")
        ->check(CLI::Range(1, 65535));
    app->add_option("--jobs", scenario.jobs, "number of jobs (default: as many as nodes)")
        ->check(CLI::Range(1, 1000000));
    app->add_option("--policy", arguments->policies, "ours, none, naive; several are compared")
        ->check(CLI::IsMember({"ours", "none", "naive"}));
    app->add_option("--seed", scenario.seed, "of all random choices (default: 1)");
    app->add_option("--repeat", arguments->repeat, "so many runs, each with the next seed")
        ->check(CLI::Range(1, 1000));
    app->add_option("--place", scenario.place, "where jobs start: one, few, random (default)")
        ->check(CLI::IsMember({"one", "few", "random"}));
    app->add_option("--work", scenario.work_s,
                    "CPU seconds of a job at speed 1, the mean (default: endless)")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--sizes", scenario.sizes, "of jobs: equal (default) or pareto")
        ->check(CLI::IsMember({"equal", "pareto"}));
    app->add_option("--arrive", scenario.arrive_s, "jobs start within so many seconds (default: 0)")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--cpus", scenario.cpus, "of each node (default: 1)")
        ->check(CLI::Range(1, 1024));
    app->add_flag("--mixed", scenario.mixed, "nodes of 1, 2, 4 CPUs and speeds 0.5, 1, 2");
    app->add_option("--speed-noise", scenario.speed_noise, "relative error of measured speeds")
        ->check(CLI::Range(0.0, 0.9));
    app->add_option("--loss", scenario.loss, "share of messages that are lost")
        ->check(CLI::Range(0.0, 1.0));
    app->add_option("--delay-ms", scenario.delay_ms, "of a message, mean (default: 1)")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--churn", scenario.churn, "crashes per node and minute; back after 20 s")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--move-ms", scenario.move_fixed_ms, "fixed time of a move (default: 30)")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--move-mb-per-s", scenario.move_mb_per_s, "a node sends so much (default: 25)")
        ->check(CLI::PositiveNumber);
    app->add_option("--job-mb", scenario.job_mb, "memory of a job (default: 4)")
        ->check(CLI::Range(0, 4000));
    app->add_option("--seconds", scenario.limit_s,
                    "length of a run of endless jobs (default: balanced and 60 more)")
        ->check(CLI::NonNegativeNumber);
    app->add_flag("--json", arguments->json, "print JSON instead of a table");
    app->add_option("--plot", arguments->plot, "FILE.svg: 10 to --nodes nodes, same jobs per node");
    return {app, [arguments, app] {
                arguments->jobs_given = app->count("--jobs") > 0;
                return simulate_all(*arguments);
            }};
}

}  // namespace mosrig::cli
