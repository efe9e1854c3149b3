// SPDX-License-Identifier: GPL-2.0-only
// What a move costs and what it may bring.
#pragma once

#include "omd/policy/types.h"

namespace mosrig::policy {

// Cost of a move: a fixed part and one by memory, both learnt from moves that were made.
class MoveCost {
  public:
    MoveCost() = default;
    MoveCost(double fixed_ms, double pages_per_ms)
        : fixed_ms_(fixed_ms), pages_per_ms_(pages_per_ms) {}

    // Milliseconds that a process with so many pages loses: it runs on while half of them travel.
    [[nodiscard]] double estimate(Pages pages) const;

    // A move of so many pages took so long. One that moved next to nothing teaches the fixed
    // part, a large one the throughput; a single odd one changes little.
    void learn(Pages pages, double took_ms);

  private:
    double fixed_ms_ = 50;
    double pages_per_ms_ = 5;  // 20 MB/s
};

// Milliseconds of CPU that a process which has used `used` is expected to use yet.
//
// The life of UNIX processes has a heavy tail: P(life > x) ~ 1/x, so half of those that have
// lived for t live for another t (M. Harchol-Balter, A. Downey, "Exploiting process lifetime
// distributions for dynamic load balancing", SIGMETRICS 1996). That median is the estimate.
double expected_remaining(Millis used);

}  // namespace mosrig::policy
