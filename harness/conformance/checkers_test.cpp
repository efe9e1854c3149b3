// SPDX-License-Identifier: MIT
#include "harness/conformance/checkers.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

// As a debug kernel of this version wrote them.
constexpr const char* lockdep_console =
    "[    4.100000] \n"
    "[    4.101000] ======================================================\n"
    "[    4.102000] WARNING: possible circular locking dependency detected\n"
    "[    4.103000] 6.12.63-openmosix-debug #1 Not tainted\n"
    "mosrig: node ready\n";
constexpr const char* kasan_console =
    "[    4.100000] BUG: KASAN: slab-use-after-free in om_provoke+0x1f/0x80\n"
    "[    4.103000] Read of size 1 at addr ffff888001234560 by task swapper/0/1\n"
    "mosrig: node ready\n";

Result<ProvokedNode> node_with(const char* console) {
    return ProvokedNode{"node1", find_kernel_reports(console), 0, 0};
}

TEST(Checkers, AReportOfTheRightKindPasses) {
    const CaseResult lockdep = judge_checker(checkers[0], node_with(lockdep_console));
    EXPECT_EQ(lockdep.verdict, Verdict::pass) << lockdep.reason;
    EXPECT_EQ(lockdep.lock, 0);
    EXPECT_EQ(lockdep.console.at("node1").size(), 1U);
    EXPECT_EQ(judge_checker(checkers[1], node_with(kasan_console)).verdict, Verdict::pass);
}

TEST(Checkers, SilenceFails) {
    for (const Checker& checker : checkers) {
        EXPECT_EQ(judge_checker(checker, node_with("mosrig: node ready\n")).verdict, Verdict::fail);
    }
}

TEST(Checkers, AReportOfAnotherKindFails) {
    EXPECT_EQ(judge_checker(checkers[0], node_with(kasan_console)).verdict, Verdict::fail);
    EXPECT_EQ(judge_checker(checkers[1], node_with(lockdep_console)).verdict, Verdict::fail);
}

TEST(Checkers, ANodeThatDidNotBootIsNoPass) {
    const Result<ProvokedNode> none =
        tl::unexpected(Error{ErrorKind::boot, "it hangs", {}, "node1", 0});
    EXPECT_EQ(judge_checker(checkers[0], none).verdict, Verdict::boot);
}

}  // namespace
}  // namespace mosrig
