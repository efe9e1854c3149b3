// SPDX-License-Identifier: MIT
// The silence of a debug kernel counts only once each of its checkers was made to speak and was
// heard: a throw-away node is told to provoke one report at its boot, and the same watcher that
// looks at the consoles of the suite has to find it.
#pragma once

#include <array>
#include <filesystem>
#include <string>

#include "harness/base/result.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/lifecycle.h"
#include "harness/console/console.h"
#include "harness/verdict/case_result.h"

namespace mosrig {

struct Checker {
    const char* id;     // of its case
    const char* word;   // what openmosix.provoke= calls it
    ReportKind kind;    // what the watcher has to make of its report
    const char* title;  // of its case
};

inline constexpr std::array checkers{
    Checker{"debug-lockdep", "lockdep", ReportKind::lockdep,
            "A report of lockdep, provoked at boot, is seen on the console"},
    Checker{"debug-kasan", "kasan", ReportKind::kasan,
            "A report of KASAN, provoked at boot, is seen on the console"},
};

// What was seen of a node that was told to provoke a report.
struct ProvokedNode {
    std::string name;
    std::vector<KernelReport> reports;  // on its console since its first byte
    // Of the process on the node that was asked.
    int lock = -1;
    int where = -1;
};

// Boots such a node beside the cluster `info`, looks at it, and takes it down again. It is a
// cluster of its own; should this program die, the other's `down` ends it.
Result<ProvokedNode> boot_provoked(const Places& places, const ClusterInfo& info,
                                   const Checker& checker);

// The case of a checker, all but its duration: PASS only if a report of its kind was found.
CaseResult judge_checker(const Checker& checker, const Result<ProvokedNode>& node);

}  // namespace mosrig
