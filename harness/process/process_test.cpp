// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "harness/process/local_program.h"
#include "harness/process/mover.h"
#include "harness/process/process_state.h"

namespace mosrig {
namespace {

TEST(ParseStat, ANameMayHoldAnything) {
    const Result<TaskStat> stat = parse_stat(
        "4242 (remote(17) S ) R 17 1 1 0 -1 4194560 1 2 3 4 250 31 0 0 20 0 1 0 99 0 0\n");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->pid, 4242);
    EXPECT_EQ(stat->comm, "remote(17) S ");
    EXPECT_EQ(stat->state, 'R');
    EXPECT_EQ(stat->ppid, 17);
    EXPECT_EQ(stat->utime, 250);
    EXPECT_EQ(stat->cpu_ticks(), 281);
}

TEST(ParseStat, RubbishIsAnError) {
    for (const char* line : {"", "12 (x", "x (y) R 1", "12 (x) R 1 2 3"}) {
        EXPECT_FALSE(parse_stat(line)) << line;
    }
}

TEST(ParseMigstat, TimesMakeFreezeAndTotal) {
    const Migstat migstat = parse_migstat(
        "state away\nhome_reason syscall:59\nrequested_ns 100\nfrozen_ns 300\nresumed_ns 350\n"
        "released_ns 1100\n");
    EXPECT_EQ(migstat.values.at("home_reason"), "syscall:59");
    EXPECT_EQ(migstat.freeze_ns(), 50);
    EXPECT_EQ(migstat.total_ns(), 1000);
    EXPECT_EQ(migstat.number("state"), std::nullopt);
    EXPECT_EQ(migstat.number("bytes_out"), std::nullopt);
}

TEST(ParseMigstat, WhatHasNotHappenedHasNoTime) {
    EXPECT_EQ(parse_migstat("frozen_ns 0\nresumed_ns 0\n").freeze_ns(), std::nullopt);
    EXPECT_EQ(parse_migstat("frozen_ns 5\nresumed_ns 0\n").freeze_ns(), std::nullopt);
    EXPECT_EQ(parse_migstat("requested_ns 9\n").total_ns(), std::nullopt);
}

TEST(Errno, HasNames) {
    EXPECT_EQ(errno_name(16), "EBUSY");
    EXPECT_EQ(errno_name(99999), "errno 99999");
}

TEST(LocalProgram, LinesAndStatus) {
    const Deadline deadline("the program", Millis(20000));
    auto program =
        LocalProgram::start({"sh", "-c", "read x; echo got $x $Y; printf tail; exit 3"}, {"Y=z"});
    ASSERT_TRUE(program);
    ASSERT_TRUE((*program)->write_line("word", deadline));
    EXPECT_EQ((*program)->read_line(deadline).value(), "got word z");
    EXPECT_EQ((*program)->read_line(deadline).value(), "tail");
    EXPECT_EQ((*program)->read_line(deadline).value(), std::nullopt);
    EXPECT_EQ((*program)->wait(deadline).value(), 3);
}

TEST(LocalProgram, ADeadlinePasses) {
    auto program = LocalProgram::start({"sh", "-c", "read x"}, {});
    ASSERT_TRUE(program);
    const auto line = (*program)->read_line(Deadline("a line that never comes", Millis(20)));
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().kind, ErrorKind::timeout);
}

}  // namespace
}  // namespace mosrig
