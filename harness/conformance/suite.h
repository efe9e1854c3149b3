// SPDX-License-Identifier: MIT
// The cases as GoogleTest sees them: one value-parameterised test, one value for each description.
#pragma once

#include <filesystem>
#include <vector>

#include "harness/cluster/cluster.h"
#include "harness/journal/journal.h"
#include "harness/verdict/case_result.h"
#include "harness/workload/description.h"

namespace mosrig {

// What the tests of this process play on.
struct Suite {
    std::vector<Description> cases;
    Cluster& cluster;
    Journal& journal;
    std::filesystem::path scenes;  // folder: what the nodes were like when a wait ran out
    size_t done = 0;               // cases that an earlier process of this run has finished
    size_t total = 0;              // cases of the run
    // How far each console has been looked at. A report between two cases is the next one's.
    std::vector<Console::Mark> seen;
    // A case left a node that complained or does not answer: no further case is played on it.
    bool spoiled = false;
};

// Prints the line of a finished case.
void show_case(size_t number, size_t total, const CaseResult& result);

// Plays one case on the nodes of `suite`, journalling each step. Its result as it was journalled.
CaseResult play_case(Suite& suite, const Description& description);

// Makes the nodes record what a case that waits in vain is told with.
void prepare_nodes(Cluster& cluster);

// Runs every case of `suite`, journalling each step. To be called once in a process, since
// GoogleTest keeps its state there.
void run_suite(Suite& suite);

}  // namespace mosrig
