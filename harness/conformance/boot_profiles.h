// SPDX-License-Identifier: MIT
// What boots locked and what does not: a node of each boot profile, in one cluster, and the lock of
// everything that runs on it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/lifecycle.h"
#include "harness/verdict/case_result.h"

namespace mosrig {

// A process of a node that has just booted.
struct BootedProcess {
    std::int64_t pid = 0;
    std::int64_t ppid = 0;
    std::string comm;
    int lock = -1;
};

struct BootedNode {
    std::string name;
    std::string profile;
    std::vector<BootedProcess> processes;
    // Of what a plain shell, and of what a login shell starts; both from one that is locked.
    int lock_of_child = -1;
    int lock_of_login_child = -1;
};

struct ProfileCase {
    const char* id;
    const char* title;
    CaseResult (*judge)(const std::vector<BootedNode>& nodes);
};

// Nodes with open-boot: nothing is locked.
CaseResult judge_open_boot(const std::vector<BootedNode>& nodes);
// Nodes with locked-boot: all that inittab's rc lines started is, but for sshd with its logins and
// the node daemon; and nothing else.
CaseResult judge_locked_boot(const std::vector<BootedNode>& nodes);
// The line in the profile: what a login shell starts is unlocked.
CaseResult judge_login(const std::vector<BootedNode>& nodes);

inline constexpr std::array profile_cases{
    ProfileCase{"boot-open", "On a node with open-boot nothing is locked", judge_open_boot},
    ProfileCase{"boot-locked",
                "On a node with locked-boot all that inittab's rc lines start is locked",
                judge_locked_boot},
    ProfileCase{"login-unlocked",
                "With the line in /etc/profile.d what a login shell starts is not locked",
                judge_login},
};

// Boots one node of each profile beside the cluster `info`, both with the line for logins, and
// looks at them.
Result<std::vector<BootedNode>> boot_profiles(const Places& places, const ClusterInfo& info);

// All of a case but its duration.
CaseResult judge_profile(const ProfileCase& one, const Result<std::vector<BootedNode>>& nodes);

}  // namespace mosrig
