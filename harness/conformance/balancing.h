// SPDX-License-Identifier: MIT
// What the balancer's cases set on the nodes: automatic moves are allowed, and speeds are told.
#pragma once

#include <map>
#include <vector>

#include "harness/conformance/stage.h"

namespace mosrig {

// Automatic moves are allowed on all nodes as long as it lives, and speeds are as the case says.
class Balancing {
  public:
    explicit Balancing(Stage& stage) : stage_(stage) {}
    Balancing(const Balancing&) = delete;
    Balancing& operator=(const Balancing&) = delete;
    ~Balancing();

    // Speeds from home on, the last of which is that of all further nodes; none: all are equal. A
    // kernel without a balancer skips the case.
    Result<void> begin(const std::vector<int>& speeds);
    Result<void> set_speeds(const std::vector<int>& speeds);

  private:
    Result<int> read_speed(Machine& machine);
    Result<void> write(Machine& machine, const char* file, int value);

    Stage& stage_;
    std::map<Machine*, int> before_;
};

}  // namespace mosrig
