// SPDX-License-Identifier: GPL-2.0-only
#include "omd/counting.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

TEST(Counting, ReadsAStatLineWithAnyName) {
    const auto stat = parse_task_stat(
        "77 (a) R (b) R 1 77 77 0 -1 4194304 100 0 0 0 350 50 0 0 20 0 3 0 12345 1000000 256 "
        "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 5 0");
    // The limit of its memory is larger than an int64.
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->state, 'R');
    EXPECT_EQ(stat->parent, 1);
    EXPECT_TRUE(stat->idle_class);
    EXPECT_EQ(stat->user, 350U);
    EXPECT_EQ(stat->system, 50U);
    EXPECT_EQ(stat->threads, 3U);
    EXPECT_EQ(stat->start, 12345U);
    EXPECT_EQ(stat->pages, 256U);
    EXPECT_FALSE(stat->kernel);
    EXPECT_FALSE(parse_task_stat("77 (a) R 1 2"));
    EXPECT_FALSE(
        parse_task_stat("77 (a) R 1 77 77 0 -1 4194304 100 0 0 0 350 50 0 0 20 0 3 0 1 1 1"));
    EXPECT_FALSE(parse_task_stat(""));
}

TEST(Counting, DemandIsRunningAndWaiting) {
    DemandCounter counter;
    EXPECT_DOUBLE_EQ(counter.count(0, 0, 'R', 1000), 1);  // just born
    // Of 1000 ms it ran 333 and waited 667.
    EXPECT_NEAR(counter.count(333, 1000, 'R', 1000), 1, 1e-9);
    EXPECT_NEAR(counter.count(343, 1020, 'S', 1000), 0.02, 1e-9);
}

TEST(Counting, WithoutTheWaitingTimeARunningStateCounts) {
    DemandCounter counter;
    counter.count(0, std::nullopt, 'R', 1000);
    EXPECT_DOUBLE_EQ(counter.count(330, std::nullopt, 'R', 1000), 1);
    EXPECT_NEAR(counter.count(430, std::nullopt, 'S', 1000), 0.1, 1e-9);
}

TEST(Counting, AMomentAfterALookATickIsNoDemand) {
    DemandCounter counter;
    (void)counter.count(1000, 1000, 'S', 1000);
    EXPECT_NEAR(counter.count(1050, 1050, 'S', 1000), 0.05, 1e-9);
    // Three milliseconds later a tick has passed: not three times the CPU.
    EXPECT_NEAR(counter.count(1060, 1060, 'R', 3), 0.05, 1e-9);
    EXPECT_NEAR(counter.count(1110, 1110, 'S', 997), 0.06, 1e-9);
    DemandCounter fresh;
    EXPECT_LT(fresh.count(10, 10, 'S', 3), 0.2);
}

TEST(Counting, WhatAThreadWaitedForIsNotCountedWithoutTheTimeBefore) {
    DemandCounter counter;
    counter.count(0, std::nullopt, 'S', 1000);
    EXPECT_NEAR(counter.count(100, 50000, 'S', 1000), 0.1, 1e-9);
    EXPECT_NEAR(counter.count(200, 54000, 'R', 1000), 4, 1e-9);
    // A thread has ended, and took its time with it.
    EXPECT_NEAR(counter.count(500, 20000, 'R', 1000), 0.3, 1e-9);
}

TEST(Counting, DecayOfEachKind) {
    EXPECT_DOUBLE_EQ(parse_decay("none", "default", 975, 926, 1000).keep, 0.975);
    EXPECT_DOUBLE_EQ(parse_decay("none", "fast", 975, 926, 1000).keep, 0.926);
    EXPECT_DOUBLE_EQ(parse_decay("none", "none", 975, 926, 1000).keep, 1);
    const auto own = parse_decay("cpu", "own 500 10", 975, 926, 1000);
    EXPECT_DOUBLE_EQ(own.keep, 0.5);
    EXPECT_EQ(own.interval, 10000);
    EXPECT_EQ(own.job, policy::Decay::Job::cpu);
    EXPECT_DOUBLE_EQ(parse_decay("", "own 5000 1", 975, 926, 1000).keep, 0.975);
}

}  // namespace
}  // namespace mosrig
