// SPDX-License-Identifier: GPL-2.0-only
// The small parts: load, decay, cost, promises.
#include <gtest/gtest.h>
#include <cmath>

#include "omd/policy/cost.h"
#include "omd/policy/decay.h"
#include "omd/policy/demand.h"
#include "omd/policy/ledger.h"
#include "omd/policy/load.h"

namespace mosrig::policy {
namespace {

TEST(Load, IsPerCpuAndRelativeToSpeed) {
    EXPECT_DOUBLE_EQ(load_of({1, 1, standard_speed, 1}), 100);
    EXPECT_DOUBLE_EQ(load_of({1, 4, standard_speed, 2}), 50);
    EXPECT_DOUBLE_EQ(load_of({1, 1, 2 * standard_speed, 3}), 150);
    EXPECT_DOUBLE_EQ(share_of(2, 1), 1);
    EXPECT_DOUBLE_EQ(share_of(2, 4), 0.5);
}

TEST(Load, SpeedsThatDifferByNoiseAreTheSame) {
    EXPECT_DOUBLE_EQ(speed_ratio(10000, 12000), 1);
    EXPECT_DOUBLE_EQ(speed_ratio(12000, 10000), 1);
    EXPECT_DOUBLE_EQ(speed_ratio(9000, 11000), 1);
    EXPECT_DOUBLE_EQ(speed_ratio(10000, 15000), 1.5);
    EXPECT_DOUBLE_EQ(speed_ratio(10000, 5000), 0.5);
}

TEST(Decay, ForgetsAtItsRate) {
    const Decay slow{Decay::Job::none, 0.975, 1000};
    const Decay fast{Decay::Job::none, 0.926, 1000};
    DecayedUse a;
    DecayedUse b;
    a.add(1, 1000000, slow);
    b.add(1, 1000000, fast);
    for (int i = 0; i < 10; i++) {
        a.add(0, 1000, slow);
        b.add(0, 1000, fast);
    }
    EXPECT_NEAR(a.value(slow), std::pow(0.975, 10), 1e-6);
    EXPECT_NEAR(b.value(fast), std::pow(0.926, 10), 1e-6);
}

TEST(Decay, TheFirstSampleCountsInFull) {
    DecayedUse use;
    const Decay slow;
    EXPECT_DOUBLE_EQ(use.value(slow), 1);
    use.add(0.5, 1000, slow);
    EXPECT_NEAR(use.value(slow), 0.5, 1e-9);
}

TEST(Decay, WithoutDecayAllOfThePastCountsTheSame) {
    const Decay none{Decay::Job::none, 1, 1000};
    DecayedUse use;
    use.add(1, 30000, none);
    use.add(0, 10000, none);
    EXPECT_NEAR(use.value(none), 0.75, 1e-9);
}

TEST(Decay, WhatAJobIsDeclaredToBe) {
    DecayedUse use;
    use.add(0.4, 1000, {});
    EXPECT_DOUBLE_EQ(use.value({Decay::Job::cpu, 0.975, 1000}), 1);
    EXPECT_NEAR(use.value({Decay::Job::io, 0.975, 1000}), 0.1, 1e-9);
}

TEST(Cost, LearnsThroughputFromLargeMovesAndTheRestFromSmallOnes) {
    MoveCost cost(50, 5);
    const double before = cost.estimate(25600);
    for (int i = 0; i < 40; i++) {
        cost.learn(25600, 1000);  // 100 MiB in a second
        cost.learn(10, 20);
    }
    EXPECT_NEAR(cost.estimate(0), 20, 3);
    EXPECT_NEAR(cost.estimate(25600), 20 + 490, 30);
    EXPECT_LT(cost.estimate(25600), before);
}

TEST(Cost, OneOddMoveChangesLittle) {
    MoveCost cost(50, 5);
    cost.learn(10, 5000000);
    EXPECT_LE(cost.estimate(0), 2000);
}

TEST(Cost, WhoHasLivedLongIsExpectedToLiveLong) {
    EXPECT_DOUBLE_EQ(expected_remaining(1000), 1000);
    EXPECT_GT(expected_remaining(5000), expected_remaining(1000));
}

Message request(std::uint32_t number, double rate = 1.0 / 3, Pages pages = 100) {
    Message message;
    message.kind = Message::Kind::request;
    message.number = number;
    message.demand = 1;
    message.rate = rate;
    message.pages = pages;
    return message;
}

TEST(Ledger, PromisesUntilOneMoreWouldRunNoFaster) {
    Ledger ledger({});
    const NodeLoad idle{1, 1};
    EXPECT_TRUE(ledger.ask(2, request(1), idle, 0));
    EXPECT_TRUE(ledger.ask(3, request(1), idle, 0));
    EXPECT_FALSE(ledger.ask(4, request(1), idle, 0));  // it would be the third: no gain
    EXPECT_DOUBLE_EQ(ledger.demand(), 2);
}

TEST(Ledger, ARepeatedRequestIsOne) {
    Ledger ledger({});
    EXPECT_TRUE(ledger.ask(2, request(7), {1, 1}, 0));
    EXPECT_TRUE(ledger.ask(2, request(7), {1, 1}, 100));
    EXPECT_EQ(ledger.size(), 1U);
}

TEST(Ledger, APromiseEndsByItsTimeOrByWord) {
    Ledger ledger({});
    ASSERT_TRUE(ledger.ask(2, request(1), {1, 1}, 0));
    ASSERT_TRUE(ledger.ask(2, request(2), {1, 1}, 0));
    ledger.release(2, 1, false, 10);
    EXPECT_EQ(ledger.size(), 1U);
    ledger.expire(9999);
    EXPECT_EQ(ledger.size(), 1U);
    ledger.expire(10000);
    EXPECT_EQ(ledger.size(), 0U);
}

TEST(Ledger, WhatHasArrivedCountsUntilItIsCounted) {
    Ledger ledger({});
    ASSERT_TRUE(ledger.ask(2, request(1), {1, 1}, 0));
    ledger.release(2, 1, true, 100);
    EXPECT_DOUBLE_EQ(ledger.demand(), 1);
    EXPECT_EQ(ledger.pages(), 0U);
    ledger.counted({}, 500);  // it is not seen yet
    EXPECT_DOUBLE_EQ(ledger.demand(), 1);
    ledger.counted({2}, 1000);
    EXPECT_DOUBLE_EQ(ledger.demand(), 0);
}

TEST(Ledger, WhoIsSeenBeforeItsSenderSaysSoIsNotCountedTwice) {
    Ledger ledger({});
    ASSERT_TRUE(ledger.ask(2, request(1), {1, 1}, 0));
    ledger.counted({2}, 500);
    EXPECT_DOUBLE_EQ(ledger.demand(), 0);
    ledger.release(2, 1, true, 600);
    EXPECT_DOUBLE_EQ(ledger.demand(), 0);
}

TEST(Ledger, OnlyOneOfItsHomeFulfilsAPromise) {
    Ledger ledger({});
    Message hop = request(1);
    hop.about = 7;  // node 2 sends a guest on, whose home is node 7
    ASSERT_TRUE(ledger.ask(2, hop, {1, 4}, 0));
    ASSERT_TRUE(ledger.ask(3, request(1), {1, 4}, 0));
    ledger.counted({1, 2}, 500);  // an own process came home, and a guest of node 2's
    EXPECT_EQ(ledger.size(), 2U);
    ledger.counted({7}, 600);
    EXPECT_EQ(ledger.size(), 1U);
    ledger.counted({3}, 700);
    EXPECT_EQ(ledger.size(), 0U);
}

TEST(Demand, IsSureWhenSeenTwiceAndPossibleWhenSeenOnce) {
    Demand demand;
    demand.look(1, 1000);
    demand.end_period();
    EXPECT_DOUBLE_EQ(demand.sure(), 0);
    EXPECT_DOUBLE_EQ(demand.possible(), 1);
    demand.look(0.6, 1000);
    demand.end_period();
    EXPECT_NEAR(demand.possible(), 0.905, 0.001);
    EXPECT_DOUBLE_EQ(demand.sure(), demand.possible());
    demand.look(0, 1000);
    demand.end_period();
    EXPECT_DOUBLE_EQ(demand.sure(), 0);
    EXPECT_NEAR(demand.possible(), 0.819, 0.001);
    demand.look(0, 1000);
    EXPECT_NEAR(demand.possible(), 0.587, 0.001);
}

TEST(Demand, LooksWithinAPeriodAreOneSampleByTheirTime) {
    Demand demand;
    for (int period = 0; period < 2; period++) {
        demand.look(1, 300);
        demand.look(0, 700);
        demand.end_period();
    }
    EXPECT_DOUBLE_EQ(demand.sure(), 0.3);
}

TEST(Demand, WhoLivesForAMomentIsHardlyPossible) {
    Demand demand;
    demand.look(1, 1000, 20);
    EXPECT_DOUBLE_EQ(demand.possible(), 0.02);
    demand.expect(1);
    EXPECT_DOUBLE_EQ(demand.possible(), 1);
}

TEST(Ledger, ABlockedOrFullNodePromisesNothing) {
    Ledger ledger({});
    EXPECT_FALSE(ledger.ask(2, request(1), {1, 1, standard_speed, 0, 0, flag_block}, 0));
    NodeLoad full{1, 1, standard_speed, 0, 0, 0, 150, 150, 1000};
    EXPECT_FALSE(ledger.ask(2, request(2, 0.3, 100), full, 0));
    EXPECT_TRUE(ledger.ask(2, request(3, 0.3, 60), full, 0));
}

}  // namespace
}  // namespace mosrig::policy
