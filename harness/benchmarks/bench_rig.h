// SPDX-License-Identifier: MIT
// What one sample of a benchmark does to the nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/benchmarks/base_measures.h"
#include "harness/cluster/cluster.h"
#include "harness/process/machine.h"
#include "harness/process/process_state.h"
#include "harness/process/subject.h"

namespace mosrig {

// One move out and what was measured right before it.
struct MoveSample {
    double round_trip_ns = 0;  // R: median of some 64 B round trips
    double tcp_ns = 0;         // the process's bytes as one TCP stream
    double freeze_ns = 0;
    double total_ns = 0;
    std::int64_t demand_faults = 0;
    std::int64_t pages_out_at_resume = 0;
    std::int64_t round_trips = 0;
};

class BenchRig {
  public:
    // Starts the servers of the base measures on the second node.
    static Result<std::unique_ptr<BenchRig>> open(Cluster& cluster);

    // A busy loop with so much memory touched, at home, ready and stopped: what is measured between
    // its moves is measured on quiet nodes.
    Result<Subject> start_busy(int mib);
    // Takes the base measures, lets the program run, moves it out, checks its memory, brings it
    // home and stops it.
    Result<MoveSample> sample(Subject& subject, int mib);
    // One more value of B.
    Result<void> measure_throughput() { return base_->measure_throughput(bases_); }
    // All base measures so far.
    [[nodiscard]] const BaseSamples& bases() const { return bases_; }

  private:
    explicit BenchRig(Cluster& cluster) : cluster_(cluster) {}

    [[nodiscard]] Deadline deadline(const std::string& name, Millis nominal) const {
        return cluster_.deadline(name, nominal);
    }
    Result<ProcessState> move(std::int64_t pid, int node);
    Result<void> signal(const Subject& subject, int number);

    Cluster& cluster_;
    std::unique_ptr<Machine> home_;
    std::unique_ptr<Machine> guest_;
    std::unique_ptr<BaseMeasures> base_;
    BaseSamples bases_;
};

}  // namespace mosrig
