// SPDX-License-Identifier: MIT
// What costs of a migration are compared with: plain costs of the same two nodes, measured between
// the samples.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cluster/cluster.h"
#include "harness/process/machine.h"

namespace mosrig {

// Each measure's values in the order in which they were taken.
struct BaseSamples {
    std::vector<double> R;   // ns, a TCP round trip of 64 B
    std::vector<double> R4;  // ns, one with an answer of 4 KiB
    std::vector<double> f;   // ns, fork and exit of a process of 1 MiB
    std::vector<double> B;   // bit/s, what iperf3 reaches; empty where there is no iperf3
};

class BaseMeasures {
  public:
    // Starts the servers on `guest`. The cluster and the machines have to outlive this.
    static Result<std::unique_ptr<BaseMeasures>> open(Cluster& cluster, Machine& home,
                                                      Machine& guest);

    // Takes one value each of R, R4 and f.
    Result<void> measure_times(BaseSamples& into);
    // Takes one value of B, the best of plain, zero copy and two streams; nothing without iperf3.
    Result<void> measure_throughput(BaseSamples& into);
    // Nanoseconds until so many bytes of one TCP stream have been read on the other side.
    Result<double> blast(std::int64_t bytes);

  private:
    BaseMeasures(Cluster& cluster, Machine& home) : cluster_(cluster), home_(home) {}

    // The numbers that a command prints at home.
    Result<std::vector<double>> numbers(const std::vector<std::string>& argv);
    Result<std::unique_ptr<Program>> serve(Machine& guest, const std::vector<std::string>& argv,
                                           const std::string& when_ready);
    Result<double> iperf(const std::vector<std::string>& more);

    Cluster& cluster_;
    Machine& home_;
    std::string address_;
    std::unique_ptr<Program> tcp_;
    std::unique_ptr<Program> iperf_;  // nullptr if the image has none
};

// Bits per second that arrived, from iperf3's JSON; its own complaint if it failed.
Result<double> parse_iperf(const std::string& text);

}  // namespace mosrig
