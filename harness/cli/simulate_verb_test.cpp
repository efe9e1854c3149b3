// SPDX-License-Identifier: MIT
// `mosrig simulate` as somebody types it who compares policies: the figures that are promised are
// there, and can be true.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/base/subprocess.h"

namespace mosrig {
namespace {

using nlohmann::json;

constexpr unsigned nodes = 50;
constexpr unsigned jobs = 100;

json simulate(const std::vector<std::string>& more) {
    std::vector<std::string> argv = {MOSRIG_PROGRAM, "simulate", "--nodes", "50",    "--jobs",
                                     "100",          "--seed",   "1",       "--json"};
    argv.insert(argv.end(), more.begin(), more.end());
    const auto done = run_subprocess(argv, Deadline("a simulation", Millis(110000)));
    EXPECT_TRUE(done && done->ok()) << (done ? done->err : done.error().message());
    const json answer = done ? json::parse(done->out, nullptr, false) : json();
    return answer.is_object() ? answer : json::object();
}

// A figure of a run; -1, which none can be, if it is not told.
double figure(const json& run, const char* key) {
    const auto found = run.find(key);
    return found != run.end() && found->is_number() ? found->get<double>() : -1;
}

// What both policies come to, ours first. Every promised key has to be there.
json compare(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"--policy", "ours", "none"};
    words.insert(words.end(), more.begin(), more.end());
    json runs = simulate(words).value("runs", json::array());
    EXPECT_EQ(runs.size(), 2U);
    runs.get_ref<json::array_t&>().resize(2, json::object());
    EXPECT_EQ(runs[0].value("policy", ""), "ours");
    EXPECT_EQ(runs[1].value("policy", ""), "none");
    for (const json& run : runs) {
        for (const char* key :
             {"balanced_s", "moves", "least_moves", "later_moves", "messages_per_node_s",
              "policy_steps_per_node_s", "daemon_cpu_us_per_s", "makespan_s", "optimum_s",
              "makespan_ratio", "simulated_s"}) {
            EXPECT_TRUE(run.contains(key)) << key;
        }
        EXPECT_EQ(figure(run, "nodes"), nodes);
        EXPECT_EQ(figure(run, "jobs"), jobs);
        EXPECT_EQ(figure(run, "seed"), 1);
        EXPECT_EQ(figure(run, "jobs_lost"), 0);
    }
    return runs;
}

TEST(SimulateVerb, EndlessJobsAreBalancedByOursOnly) {
    const json runs = compare({});
    const json& ours = runs[0];
    const json& none = runs[1];
    EXPECT_GT(figure(ours, "balanced_s"), 0);
    EXPECT_LE(figure(ours, "balanced_s"), 20);
    EXPECT_GE(figure(ours, "moves"), figure(ours, "least_moves"));
    EXPECT_GT(figure(ours, "least_moves"), 0);
    EXPECT_LE(figure(ours, "moves"), 2 * figure(ours, "least_moves"));
    EXPECT_LE(figure(ours, "later_moves"), 1);
    EXPECT_GE(figure(ours, "later_watched_s"), 60);
    EXPECT_GT(figure(ours, "messages_per_node_s"), 0.5);
    EXPECT_LT(figure(ours, "messages_per_node_s"), 20);
    EXPECT_GT(figure(ours, "daemon_cpu_us_per_s"), 0);
    EXPECT_EQ(figure(ours, "makespan_s"), -1) << "endless jobs do not end";
    EXPECT_EQ(figure(none, "moves"), 0);
    EXPECT_EQ(figure(none, "balanced_s"), -1) << none.dump();
}

TEST(SimulateVerb, JobsWithAnEndAreDoneSoonerByOurs) {
    const json runs = compare({"--work", "30"});
    const json& ours = runs[0];
    const json& none = runs[1];
    // A hundred on fifty equal CPUs: two in a row on each, if they are well placed.
    EXPECT_NEAR(figure(ours, "optimum_s"), 60, 1);
    EXPECT_EQ(figure(ours, "optimum_s"), figure(none, "optimum_s"));
    EXPECT_GE(figure(ours, "makespan_ratio"), 1);
    EXPECT_LE(figure(ours, "makespan_ratio"), 1.1);
    EXPECT_GT(figure(none, "makespan_ratio"), 2);
    EXPECT_EQ(figure(none, "moves"), 0);
}

}  // namespace
}  // namespace mosrig
