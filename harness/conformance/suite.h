// SPDX-License-Identifier: MIT
// The cases as GoogleTest sees them: one value-parameterised test, one value for each description.
#pragma once

#include <vector>

#include "harness/cluster/cluster.h"
#include "harness/journal/journal.h"
#include "harness/workload/description.h"

namespace mosrig {

// What the tests of this process play on.
struct Suite {
    std::vector<Description> cases;
    Cluster& cluster;
    Journal& journal;
    size_t done = 0;   // cases that an earlier process of this run has finished
    size_t total = 0;  // cases of the run
    // A case left a node that complained or does not answer: no further case is played on it.
    bool spoiled = false;
};

// Runs every case of `suite`, journalling each step. To be called once in a process, since
// GoogleTest keeps its state there.
void run_suite(Suite& suite);

}  // namespace mosrig
