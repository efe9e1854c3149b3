// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/cluster/cluster.h"

namespace mosrig {

// As long as it lives no process is moved but by request: what is measured or judged is not
// disturbed by the balancer. Afterwards each node is as it was. Nothing to do on a kernel without
// /proc/hpc.
class BalancerOff {
  public:
    static Result<std::unique_ptr<BalancerOff>> begin(Cluster& cluster);
    ~BalancerOff();
    BalancerOff(const BalancerOff&) = delete;
    BalancerOff& operator=(const BalancerOff&) = delete;

  private:
    explicit BalancerOff(Cluster& cluster) : cluster_(cluster) {}

    Cluster& cluster_;
    std::vector<std::string> before_;  // of each node; empty if it has no balancer
};

}  // namespace mosrig
