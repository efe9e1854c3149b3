// SPDX-License-Identifier: GPL-2.0-only
#include "omd/pool.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

using std::chrono::milliseconds;

class Pool : public testing::Test {
  protected:
    PoolPolicy policy_{{}, 42};
    Instant now_ = Instant{} + std::chrono::hours(1);

    unsigned start_all(unsigned idle) {
        const unsigned due = policy_.due(now_, idle, 0);
        for (unsigned i = 0; i < due; i++) {
            policy_.started(now_);
        }
        return due;
    }
};

TEST_F(Pool, FillsUpToFour) {
    EXPECT_EQ(policy_.due(now_, 0, 0), 4U);
    EXPECT_EQ(policy_.due(now_, 1, 2), 1U);
    EXPECT_EQ(policy_.due(now_, 4, 0), 0U);
    EXPECT_EQ(policy_.due(now_, 7, 0), 0U);
    EXPECT_EQ(policy_.next(now_, 4, 0), Instant::max());
}

TEST_F(Pool, TriesOneAtATimeAndEverMoreSeldomAfterFailures) {
    milliseconds longest{0};
    for (int i = 0; i < 12; i++) {
        policy_.started(now_);
        policy_.failed(now_);
        EXPECT_EQ(policy_.due(now_, 0, 0), 0U);
        const auto pause =
            std::chrono::duration_cast<milliseconds>(policy_.next(now_, 0, 0) - now_);
        EXPECT_GE(pause.count(), 50);
        EXPECT_LE(pause.count(), 3000);
        longest = std::max(longest, pause);
        now_ += pause;
        EXPECT_EQ(policy_.due(now_, 0, 0), 1U);
        EXPECT_EQ(policy_.due(now_, 0, 1), 0U);
        EXPECT_EQ(policy_.next(now_, 0, 1), Instant::max());
    }
    EXPECT_GT(longest.count(), 1000);
}

TEST_F(Pool, FailuresOfOneVolleyCountOnce) {
    start_all(0);
    for (int i = 0; i < 4; i++) {
        policy_.failed(now_);
    }
    EXPECT_LE(policy_.next(now_, 0, 0), now_ + milliseconds(100));
}

TEST_F(Pool, ASuccessEndsThePause) {
    policy_.failed(now_);
    policy_.succeeded();
    EXPECT_EQ(policy_.due(now_, 0, 0), 4U);
}

TEST_F(Pool, APeerThatShowsItselfIsTriedAtOnce) {
    policy_.failed(now_);
    policy_.peer_seen();
    EXPECT_EQ(policy_.due(now_, 0, 0), 1U);
}

TEST_F(Pool, LinksThatDieAtOnceMakeNoStorm) {
    unsigned started = 0;
    for (int i = 0; i < 1000; i++) {  // ten seconds
        started += start_all(0);
        policy_.succeeded();
        now_ += milliseconds(10);
    }
    EXPECT_GE(started, 100U);
    EXPECT_LE(started, 110U);
    const Instant next = policy_.next(now_, 0, 0);
    EXPECT_GT(policy_.due(std::max(next, now_), 0, 0), 0U);
}

TEST_F(Pool, NextIsNeverLateNorEarly) {
    for (int i = 0; i < 50; i++) {
        start_all(0);
        const Instant next = policy_.next(now_, 0, 0);
        if (policy_.due(now_, 0, 0) > 0) {
            EXPECT_EQ(next, now_);
            continue;
        }
        ASSERT_GT(next, now_);
        EXPECT_EQ(policy_.due(next - milliseconds(1), 0, 0), 0U);
        EXPECT_GT(policy_.due(next, 0, 0), 0U);
        now_ = next;
    }
}

TEST(PoolJitter, DiffersBetweenNodes) {
    const Instant now = Instant{} + std::chrono::hours(1);
    PoolPolicy one({}, 1);
    PoolPolicy two({}, 2);
    one.failed(now);
    two.failed(now);
    EXPECT_NE(one.next(now, 0, 0), two.next(now, 0, 0));
}

}  // namespace
}  // namespace mosrig
