// SPDX-License-Identifier: MIT
// The policy as a whole, in small clusters: how fast, with how many moves, and then quiet.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/simulate/optimum.h"
#include "harness/simulate/plot.h"
#include "harness/simulate/report.h"
#include "harness/simulate/scenario.h"

namespace mosrig::simulate {
namespace {

Scenario scenario(std::uint32_t nodes, std::uint32_t jobs, const std::string& place = "one") {
    Scenario made;
    made.nodes = nodes;
    made.jobs = jobs;
    made.place = place;
    return made;
}

TEST(Simulate, ThreeLoopsOnOneOfThreeNodes) {
    for (std::uint64_t seed = 1; seed <= 20; seed++) {
        Scenario made = scenario(3, 3);
        made.seed = seed;
        const Outcome outcome = run(made);
        // The overload is seen within a period of its beginning; then two.
        EXPECT_GE(outcome.balanced_s, 0) << seed;
        EXPECT_LE(outcome.balanced_s, 3.2) << seed;
        EXPECT_EQ(outcome.moves, 2U) << seed;
        EXPECT_EQ(outcome.later_moves, 0U) << seed;
        EXPECT_GE(outcome.watched_s, 60) << seed;
    }
}

TEST(Simulate, AsManyAsCpusMoveNowhere) {
    Scenario made = scenario(3, 2);
    made.cpus = 2;
    EXPECT_EQ(run(made).moves, 0U);
}

TEST(Simulate, SpeedsMeasuredUpToAFifthApartMoveNobody) {
    for (std::uint64_t seed = 1; seed <= 5; seed++) {
        Scenario made = scenario(10, 10);
        made.seed = seed;
        made.speed_noise = 0.2;
        const Outcome outcome = run(made);
        EXPECT_EQ(outcome.moves, outcome.least_moves) << seed;
        EXPECT_EQ(outcome.later_moves, 0U) << seed;
    }
}

TEST(Simulate, FourTimesAsManyAsNodes) {
    const Outcome outcome = run(scenario(8, 32));
    EXPECT_GE(outcome.balanced_s, 0);
    EXPECT_LE(outcome.balanced_s, 12);
    EXPECT_LE(static_cast<double>(outcome.moves), 1.05 * 28);
    EXPECT_EQ(outcome.later_moves, 0U);
}

TEST(Simulate, ManyNodesOverloadedAtOnce) {
    Scenario made = scenario(60, 120, "random");
    made.arrive_s = 5;
    const Outcome outcome = run(made);
    EXPECT_GE(outcome.balanced_s, 0);
    EXPECT_LE(outcome.balanced_s, 20);
    EXPECT_LE(outcome.moves, 2 * outcome.least_moves);
    EXPECT_LE(outcome.later_moves, 1U);
}

TEST(Simulate, FivePercentOfLossOnlySlowsItDown) {
    Scenario made = scenario(20, 20);
    made.loss = 0.05;
    const Outcome outcome = run(made);
    EXPECT_GE(outcome.balanced_s, 0);
    EXPECT_LE(outcome.balanced_s, 15);
    EXPECT_LE(outcome.moves, 22U);
    EXPECT_EQ(outcome.later_moves, 0U);
}

TEST(Simulate, ChurnLosesWhatDiesAndNothingElse) {
    Scenario made = scenario(20, 40, "random");
    made.churn = 0.5;
    made.work_s = 60;
    const Outcome outcome = run(made);
    EXPECT_GT(outcome.lost, 0U);
    EXPECT_LT(outcome.lost, 40U);
    EXPECT_GT(outcome.makespan_s, 0);
}

TEST(Simulate, SlowerNodesGetTheirShare) {
    Scenario made = scenario(12, 48, "random");
    made.mixed = true;
    const Outcome outcome = run(made);
    EXPECT_GE(outcome.balanced_s, 0);
    EXPECT_LE(outcome.balanced_s, 20);
}

TEST(Simulate, TheMakespanIsNearTheOptimum) {
    Scenario made = scenario(10, 30);
    made.work_s = 120;
    const Outcome ours = run(made);
    EXPECT_LE(ours.makespan_s, 1.05 * ours.optimum_s);
    EXPECT_GE(ours.makespan_s, ours.optimum_s);
    made.policy = Policy::none;
    EXPECT_GT(run(made).makespan_s, 5 * ours.makespan_s);
}

TEST(Simulate, TheNaivePolicyNeverRests) {
    Scenario made = scenario(20, 20);
    made.policy = Policy::naive;
    EXPECT_GT(run(made).moves, 100U);
}

TEST(Simulate, CostPerNodeStaysFlat) {
    Scenario small = scenario(20, 20, "random");
    Scenario large = scenario(150, 150, "random");
    small.limit_s = large.limit_s = 20;
    const Outcome a = run(small);
    const Outcome b = run(large);
    EXPECT_NEAR(b.messages, a.messages, 0.25 * a.messages);
    EXPECT_LE(b.loads, 16 * b.messages);
}

TEST(Simulate, ASeedMeansTheSameEachTime) {
    const Scenario made = scenario(30, 60, "random");
    const Outcome a = run(made);
    const Outcome b = run(made);
    EXPECT_EQ(a.moves, b.moves);
    EXPECT_DOUBLE_EQ(a.balanced_s, b.balanced_s);
    EXPECT_DOUBLE_EQ(a.messages, b.messages);
}

TEST(Optimum, IsTheBoundOfUniformMachines) {
    const std::vector<NodeSpec> two{{1, 1, 1}, {1, 3, 3}};
    EXPECT_DOUBLE_EQ(least_makespan(two, {{0, 0, 12000}}), 4);
    EXPECT_DOUBLE_EQ(least_makespan(two, {{0, 0, 12000}, {0, 0, 12000}}), 6);
    EXPECT_EQ(least_moves({{1}, {1}, {1}}, {3, 0, 0}), 2U);
    EXPECT_EQ(least_moves({{1}, {1}, {1}}, {4, 0, 0}), 2U);
    EXPECT_EQ(least_moves({{1}, {1}}, {5, 4}), 0U);
}

TEST(Report, ShowsWhatIsKnown) {
    const std::vector<simulate::Run> runs{{scenario(3, 3), run(scenario(3, 3))}};
    EXPECT_NE(table(runs).find("ours"), std::string::npos);
    const auto parsed = nlohmann::json::parse(json(runs));
    EXPECT_EQ(parsed["runs"][0]["moves"], 2);
    EXPECT_TRUE(parsed["runs"][0]["makespan_s"].is_null());
    const std::string picture = plot(runs);
    EXPECT_NE(picture.find("</svg>"), std::string::npos);
    EXPECT_EQ(plot_sizes(1000), (std::vector<std::uint32_t>{10, 30, 100, 300, 1000}));
}

}  // namespace
}  // namespace mosrig::simulate
