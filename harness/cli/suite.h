// SPDX-License-Identifier: MIT
// What the verbs `conformance` and `bench` hand to the code that does them. The cluster is up when
// these are called; the verb takes it down afterwards if it brought it up.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mosrig {

struct ConformanceOptions {
    std::filesystem::path state;        // of the running cluster
    std::filesystem::path source_dir;   // top of the checkout
    std::filesystem::path build_dir;    // build/: guest programs in guest/bin
    std::filesystem::path results_dir;  // build/results: journal.jsonl
    std::filesystem::path console_dir;  // build/results/console: consoles of clusters that went
    std::filesystem::path report_dir;   // build/report: results.json
    std::filesystem::path cache;        // as in Places
    std::string tier = "full";          // quick, full or night
    std::vector<std::string> cases;     // ids to run, empty: all of the tier
    std::vector<std::string> also;      // patterns of ids, as a shell has them: these, too
    bool fresh = false;  // brought up for this run: its consoles count from the start
    bool list = false;   // only print the ids
    bool json = false;   // print results.json's path and summary as JSON
};

struct BenchOptions {
    std::filesystem::path state;
    std::filesystem::path results_dir;  // bench.json is written here
    std::string filter;                 // regular expression over names, empty: all
    bool quick = false;                 // a few samples: does it work, not how fast is it
    int repetitions = 0;                // 0: as the design, or quick, says
    bool json = false;
};

// Run the suite; the exit code of the verb: 0 ok, 1 a case failed, 2 usage, 3 infrastructure.
// Defined in harness/conformance and harness/benchmarks.
int run_conformance(const ConformanceOptions& options);
// Whether there are the cases that it is to run; 0 or 2. Needs no cluster.
int look_up_cases(const ConformanceOptions& options);
int run_benchmarks(const BenchOptions& options);
// Writes results.json (schema in reports/) from the journal. Defined in harness/journal's user,
// harness/conformance.
int render_results(const ConformanceOptions& options);

}  // namespace mosrig
