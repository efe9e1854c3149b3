// SPDX-License-Identifier: MIT
#include "harness/conformance/boot_profiles.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

BootedNode node(const std::string& profile, int daemons, int login = 0) {
    return {"node1",
            profile,
            {{1, 0, "init", 0},
             {2, 0, "kthreadd", 0},
             {9, 2, "kworker/0:0", 0},
             {190, 1, "cron", daemons},
             {191, 190, "job", daemons},
             {200, 1, "sshd", 0},
             {210, 200, "sshd-session", 0},
             {220, 210, "mosrig-run", 0},
             {221, 220, "cat", 0},
             {230, 1, "getty", login}},
            1,
            0};
}

Verdict verdict(const char* id, const std::vector<BootedNode>& nodes) {
    for (const ProfileCase& one : profile_cases) {
        if (std::string(id) == one.id) {
            return judge_profile(one, nodes).verdict;
        }
    }
    return Verdict::infra;
}

TEST(BootProfiles, WhatTheDocumentSaysPasses) {
    const std::vector<BootedNode> nodes{node("open-boot", 0), node("locked-boot", 1)};
    for (const ProfileCase& one : profile_cases) {
        EXPECT_EQ(judge_profile(one, nodes).verdict, Verdict::pass) << one.id;
    }
}

TEST(BootProfiles, ADaemonWithTheOtherLockFails) {
    EXPECT_EQ(verdict("boot-open", {node("open-boot", 1)}), Verdict::fail);
    EXPECT_EQ(verdict("boot-locked", {node("locked-boot", 0)}), Verdict::fail);
}

TEST(BootProfiles, ALoginThatIsLockedFails) {
    EXPECT_EQ(verdict("boot-locked", {node("locked-boot", 1, 1)}), Verdict::fail);
    BootedNode without_line = node("open-boot", 0);
    without_line.lock_of_login_child = 1;
    EXPECT_EQ(verdict("login-unlocked", {without_line}), Verdict::fail);
}

TEST(BootProfiles, NoNodeIsNoPass) {
    EXPECT_EQ(verdict("boot-locked", {node("open-boot", 0)}), Verdict::fail);
    EXPECT_EQ(verdict("login-unlocked", {}), Verdict::fail);
    const Result<std::vector<BootedNode>> none =
        tl::unexpected(Error{ErrorKind::boot, "it hangs", {}, "node1", 0});
    EXPECT_EQ(judge_profile(profile_cases[0], none).verdict, Verdict::boot);
}

}  // namespace
}  // namespace mosrig
