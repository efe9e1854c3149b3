// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/choice.h"

#include <gtest/gtest.h>

namespace mosrig::policy {
namespace {

struct Table {
    Situation situation;
    std::vector<Target> targets;
    std::vector<Candidate> candidates;
    MoveCost cost;
    std::mt19937_64 random{1};
    std::unordered_map<TaskId, Verdict> verdicts;

    explicit Table(std::size_t loops, std::uint32_t cpus = 1) {
        situation.self.id = 1;
        situation.self.cpus = cpus;
        situation.self.tmem = 100000;
        situation.self.mem = 50000;
        situation.memory.spare_swap = 50000;
        for (std::size_t i = 0; i < loops; i++) {
            add(static_cast<TaskId>(i + 1));
        }
    }
    Candidate& add(TaskId id, NodeId home = 0) {
        Candidate candidate;
        candidate.view.id = id;
        candidate.view.home = home;
        candidate.view.demand = 1;
        candidate.view.cpu_time = 20000;
        candidate.view.pages = 250;
        candidates.push_back(candidate);
        situation.self.runnable += 1;
        situation.own_demand += home == 0 ? 1 : 0;
        return candidates.back();
    }
    void node(NodeId id, double runnable, std::uint32_t cpus = 1,
              std::uint32_t speed = standard_speed) {
        targets.push_back({id, cpus, speed, runnable, 90000, 100000});
    }
    std::vector<Plan> plan() {
        double runnable = situation.self.runnable;
        double capacity = situation.self.cpus;
        for (const Target& target : targets) {
            runnable += target.runnable;
            capacity += target.cpus * speed_ratio(situation.self.speed, target.speed);
        }
        situation.average = runnable / capacity;
        Choice choice(situation, targets, cost, {}, random);
        return choice.plan(candidates, verdicts);
    }
    Reason reason(TaskId id) { return verdicts.at(id).reason; }
};

TEST(Choice, ThreeLoopsOfOneCpuGoOneToEachNode) {
    Table table(3);
    table.node(2, 0);
    table.node(3, 0);
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 2U);
    EXPECT_NE(plans[0].target, plans[1].target);
}

TEST(Choice, AsManyAsCpusStay) {
    Table table(2, 2);
    table.node(2, 0, 2);
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(1), Reason::balanced);
}

TEST(Choice, ThreeOfTwoCpusSendOne) {
    Table table(3, 2);
    table.node(2, 0, 2);
    EXPECT_EQ(table.plan().size(), 1U);
}

TEST(Choice, MuchSlowerNodesGetNone) {
    Table table(2);
    table.node(2, 0, 1, standard_speed / 4);
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(1), Reason::no_better_node);
}

TEST(Choice, HalfAsFastGetsItsShare) {
    Table table(12);
    table.node(2, 0, 1, standard_speed / 2);
    EXPECT_EQ(table.plan().size(), 4U);
}

TEST(Choice, MarkedlyFasterIdleNodesAttractEvenWithoutOverload) {
    Table table(1);
    table.node(2, 0, 1, 3 * standard_speed);
    EXPECT_EQ(table.plan().size(), 1U);
}

TEST(Choice, SpeedsMeasuredUpToAFifthApartMoveNobody) {
    for (const std::uint32_t speed : {8000U, 9000U, 11000U, 12000U, 12500U}) {
        for (const double runnable : {0.0, 1.0}) {
            Table table(1);
            table.node(2, runnable, 1, speed);
            EXPECT_TRUE(table.plan().empty()) << speed;
        }
        Table table(2);
        table.node(2, 1, 1, speed);
        EXPECT_TRUE(table.plan().empty()) << speed;
    }
}

TEST(Choice, OneAheadIsNotEnoughWithNoise) {
    for (const double noise : {-0.2, 0.0, 0.2}) {
        Table table(2);
        table.node(2, 1 + noise);
        EXPECT_TRUE(table.plan().empty()) << noise;
    }
}

TEST(Choice, TheYoungStayUntilTheMovePays) {
    Table table(2);
    table.node(2, 0);
    table.candidates[0].view.cpu_time = 20;
    table.candidates[1].view.cpu_time = 30;
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(1), Reason::too_young);
    EXPECT_GT(table.verdicts[1].cost_ms, table.verdicts[1].gain_ms);
    table.candidates[1].view.cpu_time = 2000;
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].id, 2);
}

TEST(Choice, AHugeOneStaysWhereASmallOneOfTheSameAgeGoes) {
    Table table(2);
    table.node(2, 0);
    table.candidates[0].view.pages = 80000;
    table.candidates[0].view.cpu_time = table.candidates[1].view.cpu_time = 1000;
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].id, 2);
}

TEST(Choice, WhatMustStayStaysAndSaysWhy) {
    Table table(6);
    table.node(2, 0);
    table.candidates[0].view.locked = true;
    table.candidates[1].view.can_move = false;
    table.candidates[2].view.demand = 0.05;
    table.candidates[3].settled = false;
    table.situation.self.flags = flag_lstay;
    table.candidates[5].view.home = 9;
    table.plan();
    EXPECT_EQ(table.reason(1), Reason::locked);
    EXPECT_EQ(table.reason(2), Reason::cant_move);
    EXPECT_EQ(table.reason(3), Reason::lstay);
    EXPECT_EQ(table.reason(5), Reason::lstay);
    EXPECT_EQ(table.reason(6), Reason::moved);
    table.situation.self.flags = flag_stay;
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(6), Reason::stay);
    table.situation.self.flags = 0;
    table.plan();
    EXPECT_EQ(table.reason(3), Reason::sleeping);
    EXPECT_EQ(table.reason(4), Reason::just_moved);
}

TEST(Choice, ALockedOneIsNotMovedEvenWhenMemoryRunsOut) {
    Table table(1);
    table.node(2, 0);
    table.candidates[0].view.locked = true;
    table.situation.memory.wanted = 100;
    EXPECT_TRUE(table.plan().empty());
}

TEST(Choice, BeforeSwappingTheSmallestThatIsEnoughLeaves) {
    Table table(3, 4);
    table.node(2, 1);
    table.candidates[0].view.pages = 100;
    table.candidates[1].view.pages = 3000;
    table.candidates[2].view.pages = 9000;
    table.situation.memory.wanted = 2000;
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].id, 2);
    EXPECT_TRUE(plans[0].urgent);
}

TEST(Choice, WithoutSwapOnlyAGuestMakesRoomBeItAsleep) {
    Table table(2, 4);
    table.add(3, 5);
    table.candidates[2].view.demand = 0;
    table.candidates[2].sure = 0;
    table.node(2, 1);
    table.node(5, 1);
    for (Candidate& candidate : table.candidates) {
        candidate.view.pages = 3000;
    }
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(3), Reason::sleeping);
    table.situation.memory = {5000, 1000};
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].id, 3);
    EXPECT_TRUE(plans[0].urgent);
    // With swap for one of the others, one of them as well.
    table.situation.memory = {5000, 4000};
    EXPECT_EQ(table.plan().size(), 2U);
    table.candidates[2].settled = false;
    table.situation.memory = {5000, 1000};
    EXPECT_TRUE(table.plan().empty());
}

TEST(Choice, NobodyIsSentWhereMemoryIsShort) {
    Table table(2);
    table.node(2, 0);
    table.targets[0].mem = 10100;
    EXPECT_TRUE(table.plan().empty());
}

TEST(Choice, AGuestGoesHomeWhenTheOwnerComes) {
    Table table(1);
    table.add(2, 5);
    table.node(5, 1);
    table.node(6, 1);
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].id, 2);
    EXPECT_TRUE(plans[0].to_home);
    EXPECT_TRUE(plans[0].eviction);
}

TEST(Choice, AGuestGoesOnWhenAnotherNodeIsIdle) {
    Table table(1);
    table.add(2, 5);
    table.node(5, 3);
    table.node(6, 0);
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].id, 2);
    EXPECT_EQ(plans[0].target, 6U);
}

TEST(Choice, AGuestStaysWithoutAnOwner) {
    Table table(0);
    table.add(1, 5);
    table.add(2, 5);
    table.node(5, 2);
    EXPECT_TRUE(table.plan().empty());
}

TEST(Choice, WhoLivesInSystemCallsDoesNotGainByBeingAway) {
    Table table(2);
    table.node(2, 0);
    for (Candidate& candidate : table.candidates) {
        candidate.view.system_share = 0.8;
    }
    EXPECT_TRUE(table.plan().empty());
}

// The other node knows nothing of system calls: what is asked of it is in CPU alone.
TEST(Choice, ForItsSystemCallsAGuestIsContentWithLessAtHome) {
    Table table(0);
    table.add(1, 5).view.system_share = 0.5;
    table.add(2, 6);
    table.add(3, 6);
    table.node(5, 1.5);  // 0.4 of a CPU, which is worth 0.8 to it
    const auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_EQ(plans[0].id, 1);
    EXPECT_LT(plans[0].rate, 0.4);
    // When the owner comes, too.
    Table owned(1);
    owned.add(2, 5).view.system_share = 0.5;
    owned.node(5, 2.5);
    const auto evicted = owned.plan();
    ASSERT_EQ(evicted.size(), 1U);
    EXPECT_TRUE(evicted[0].eviction);
    EXPECT_NEAR(evicted[0].rate, 0.25, 1e-9);
}

TEST(Choice, WhoRefusedInThisPeriodIsNotPlannedAgain) {
    Table table(1);
    table.add(2, 5);
    table.node(5, 0);
    table.node(6, 0.4);
    ASSERT_EQ(table.plan().size(), 1U);
    table.candidates[1].refused_by = {5};
    auto plans = table.plan();
    ASSERT_EQ(plans.size(), 1U);
    EXPECT_TRUE(plans[0].target == 6 || plans[0].id == 1) << plans[0].target;
    table.candidates[0].refused_by = {5, 6};
    table.candidates[1].refused_by = {5, 6};
    EXPECT_TRUE(table.plan().empty());
}

TEST(Choice, OfEqualNodesTheOneThatWasHeardOfLast) {
    for (const NodeId fresher : {2U, 3U}) {
        for (std::uint64_t seed = 1; seed <= 10; seed++) {
            Table table(2);
            table.random.seed(seed);
            table.node(2, 0);
            table.node(3, 0);
            for (Target& target : table.targets) {
                target.age = target.id == fresher ? 100 : 900;
            }
            const auto plans = table.plan();
            ASSERT_EQ(plans.size(), 1U);
            EXPECT_EQ(plans[0].target, fresher) << seed;
        }
    }
}

TEST(Choice, AGuestThatItsHomeDidNotLetGoSaysSo) {
    Table table(1);
    table.add(2, 5).held = true;
    table.candidates[0].view.locked = true;
    table.node(6, 0);
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(2), Reason::guest);
    table.candidates[1].asked = true;  // it may have been unlocked meanwhile
    EXPECT_EQ(table.plan().size(), 1U);
}

TEST(Choice, ANodeBelowTheAverageKeepsWhatItHas) {
    // 4 here, 2 there, but others have 6: those should fill node 2.
    Table table(4);
    table.node(2, 2);
    table.node(3, 6);
    table.node(4, 6);
    EXPECT_TRUE(table.plan().empty());
}

TEST(Choice, InAnEvenlyOverloadedClusterTheBestOtherNodeIsNamed) {
    Table table(2);
    table.node(2, 2);
    table.node(3, 2);
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(1), Reason::no_better_node);
    EXPECT_NE(table.verdicts[1].best, 0U);
    EXPECT_GT(table.verdicts[1].best_load, 0);
    EXPECT_LE(table.verdicts[1].gain_ms, 0);
}

TEST(Choice, ANodeThatHasItsShareIsNoReasonToBeTooYoung) {
    // It would run faster on node 2, which those of node 3 have to fill.
    Table table(4);
    table.node(2, 2);
    table.node(3, 6);
    table.node(4, 6);
    EXPECT_TRUE(table.plan().empty());
    EXPECT_EQ(table.reason(1), Reason::no_better_node);
    EXPECT_EQ(table.verdicts[1].best, 2U);
    EXPECT_GT(table.verdicts[1].gain_ms, table.verdicts[1].cost_ms);
}

TEST(Choice, TheVerdictNamesTheNodeThatItGoesTo) {
    for (unsigned seed = 1; seed <= 20; seed++) {
        Table table(3);
        table.random.seed(seed);
        for (const NodeId id : {2, 3, 4, 5}) {
            table.node(id, 0);
        }
        const auto plans = table.plan();
        ASSERT_FALSE(plans.empty()) << seed;
        for (const Plan& plan : plans) {
            EXPECT_EQ(table.verdicts[plan.id].best, plan.target) << seed;
        }
    }
}

TEST(Choice, WhoIsAskedForGoesWithoutHysteresis) {
    Table table(1);
    table.add(2).asked = true;
    table.candidates[1].settled = false;
    table.candidates[1].view.cpu_time = 1;
    table.node(2, 0.6);
    EXPECT_EQ(table.plan().size(), 1U);
}

}  // namespace
}  // namespace mosrig::policy
