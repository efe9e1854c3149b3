// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/members.h"

#include <gtest/gtest.h>
#include <numeric>
#include <set>

namespace mosrig::policy {
namespace {

std::shared_ptr<const Roster> roster(std::size_t size) {
    auto made = std::make_shared<Roster>(size);
    std::iota(made->begin(), made->end(), 1U);
    return made;
}

Members members(std::size_t size, Members::Settings settings = {}) {
    Members made(1, settings, 7);
    made.set_roster(roster(size));
    return made;
}

LoadEntry entry(NodeId id, std::uint32_t sequence, Millis age = 0, double runnable = 0,
                std::uint64_t boot = 1) {
    LoadEntry made;
    made.load.id = id;
    made.load.runnable = runnable;
    made.stamp = {boot, sequence};
    made.age = age;
    return made;
}

TEST(Members, EachIsAskedOnceBeforeAnyComesAgain) {
    for (const std::size_t size : {2U, 3U, 10U, 97U, 256U}) {
        Members made = members(size);
        std::multiset<NodeId> asked;
        while (asked.size() < 3 * (size - 1)) {
            for (const NodeId id : made.targets(1)) {
                asked.insert(id);
            }
        }
        for (NodeId id = 2; id <= size; id++) {
            EXPECT_GE(asked.count(id), 2U) << size;
            EXPECT_LE(asked.count(id), 4U) << size;
        }
        EXPECT_EQ(asked.count(1), 0U);
    }
}

TEST(Members, ASmallClusterIsAskedAllAtOnce) {
    Members made = members(3);
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(made.targets(2).size(), 2U);
    }
}

TEST(Members, ALoneNodeAsksNobody) {
    EXPECT_TRUE(members(1).targets(2).empty());
    EXPECT_TRUE(members(0).targets(2).empty());
}

TEST(Members, TheNewerLoadWinsWhicheverWayItCame) {
    Members made = members(3);
    EXPECT_TRUE(made.merge(entry(2, 5, 0, 1), 1000));
    EXPECT_FALSE(made.merge(entry(2, 4, 0, 9), 1001));
    EXPECT_FALSE(made.merge(entry(2, 5, 0, 9), 1002));
    EXPECT_TRUE(made.merge(entry(2, 6, 100, 2), 1003));
    EXPECT_DOUBLE_EQ(made.load(2)->entry.load.runnable, 2);
    EXPECT_EQ(made.load(2)->written, 903);
    EXPECT_FALSE(made.merge(entry(1, 6), 1003));   // itself
    EXPECT_FALSE(made.merge(entry(99, 6), 1003));  // nobody
}

TEST(Members, ANewRunIsNewerThanAnyWordOfTheOldOne) {
    Members made = members(3);
    made.merge(entry(2, 500, 0, 1, 10), 1000);
    EXPECT_TRUE(made.merge(entry(2, 1, 0, 2, 11), 1001));
    EXPECT_FALSE(made.merge(entry(2, 501, 0, 1, 10), 1002));
}

TEST(Members, WhoDoesNotAnswerIsSuspectedAndThenDown) {
    Members made = members(3);
    made.merge(entry(2, 1), 0);
    EXPECT_EQ(made.state(2), State::up);
    made.missed(2, 1000);
    EXPECT_EQ(made.state(2), State::suspect);
    made.expire(9999);
    EXPECT_EQ(made.state(2), State::suspect);
    made.expire(1000 + 9000 * 3 / 2);
    EXPECT_EQ(made.state(2), State::down);
    EXPECT_EQ(made.load(2), nullptr);
}

TEST(Members, ANewerWordClearsASuspicionAnOldOneDoesNot) {
    Members made = members(4);
    made.merge(entry(2, 7), 0);
    made.missed(2, 1000);
    made.merge(entry(2, 7, 500), 1100);
    EXPECT_EQ(made.state(2), State::suspect);
    made.merge(entry(2, 8), 1200);  // by way of node 3
    EXPECT_EQ(made.state(2), State::up);
    made.missed(2, 2000);
    made.heard(2, {1, 9}, 2100);
    EXPECT_EQ(made.state(2), State::up);
}

TEST(Members, RumoursSpreadALimitedNumberOfTimes) {
    Members made = members(100);
    made.missed(2, 0);
    int told = 0;
    for (int i = 0; i < 100; i++) {
        told += static_cast<int>(made.rumours_to_tell().size());
    }
    EXPECT_GT(told, 6);
    EXPECT_LT(told, 40);
}

TEST(Members, ARumourOfNewsIsTakenOverAndAnOldOneIsNot) {
    Members made = members(4);
    made.merge(entry(3, 10), 0);
    made.merge({3, State::down, {1, 9}}, {1, 1}, 10);
    EXPECT_EQ(made.state(3), State::up);  // it has said something since
    made.merge({3, State::suspect, {1, 10}}, {1, 1}, 10);
    EXPECT_EQ(made.state(3), State::suspect);
    made.merge({3, State::up, {1, 11}}, {1, 1}, 20);
    EXPECT_EQ(made.state(3), State::up);
}

TEST(Members, WhoHearsOfItsOwnDeathContradicts) {
    Members made = members(4);
    made.merge({1, State::suspect, {1, 3}}, {1, 5}, 0);
    const auto told = made.rumours_to_tell();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].id, 1U);
    EXPECT_EQ(told[0].state, State::up);
    EXPECT_EQ(told[0].stamp, (Stamp{1, 5}));
}

TEST(Members, RemembersNoMoreThanItMayAndKeepsTheFresh) {
    Members::Settings settings;
    settings.capacity = 50;
    Members made = members(1000, settings);
    for (NodeId id = 2; id <= 1000; id++) {
        made.merge(entry(id, 1, 0), id * 10);
    }
    EXPECT_EQ(made.loads().size(), 50U);
    std::size_t late = 0;
    for (const auto& known : made.loads()) {
        late += known.written > 8500 ? 1 : 0;
    }
    EXPECT_GT(late, 35U);
}

TEST(Members, APacketHasTheLeastLoadedOfTheFresh) {
    Members made = members(60);
    for (NodeId id = 2; id <= 60; id++) {
        made.merge(entry(id, 1, 1000 - id, id == 50 || id == 20 ? 0 : 3), 5000);
    }
    const auto told = made.loads_to_tell(5000);
    ASSERT_EQ(told.size(), 15U);
    std::set<NodeId> ids;
    for (const LoadEntry& one : told) {
        ids.insert(one.load.id);
    }
    EXPECT_TRUE(ids.contains(50));
    EXPECT_TRUE(ids.contains(20));
}

TEST(Members, WhatIsPlannedCountsUntilTheNodeSaysMore) {
    Members made = members(3);
    made.merge(entry(2, 1, 0, 1), 1000);
    made.plan(2, 1, 1100);
    EXPECT_DOUBLE_EQ(made.load(2)->planned, 1);
    made.merge(entry(2, 2, 200, 1), 1200);  // said before
    EXPECT_DOUBLE_EQ(made.load(2)->planned, 1);
    made.merge(entry(2, 3, 0, 2), 1300);
    EXPECT_DOUBLE_EQ(made.load(2)->planned, 0);
}

TEST(Members, WhoLeavesTheRosterIsForgotten) {
    Members made = members(5);
    made.merge(entry(5, 1), 0);
    made.missed(4, 0);
    made.set_roster(roster(3));
    EXPECT_EQ(made.load(5), nullptr);
    EXPECT_EQ(made.state(4), State::unknown);
}

}  // namespace
}  // namespace mosrig::policy
