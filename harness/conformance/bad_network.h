// SPDX-License-Identifier: MIT
// A network between the nodes that is bad for a while, and what is tried on it.
#pragma once

#include <cstdint>
#include <string>

#include "harness/conformance/stage.h"

namespace mosrig {

// Bad for as long as this lives. The stage outlives it.
class BadNetwork {
  public:
    static Result<BadNetwork> make(Stage& stage, const fabric::Impairment& impairment);
    BadNetwork(const BadNetwork&) = delete;
    BadNetwork& operator=(const BadNetwork&) = delete;
    BadNetwork(BadNetwork&& other) noexcept;
    BadNetwork& operator=(BadNetwork&&) = delete;
    ~BadNetwork();

    // Bad in another way from now on.
    Result<void> become(const fabric::Impairment& impairment);
    // Makes it good again. How many frames were lost meanwhile.
    Result<std::uint64_t> end();

  private:
    BadNetwork(Stage& stage, const fabric::SwitchCounters& begin) : stage_(&stage), begin_(begin) {}

    Stage* stage_;
    fabric::SwitchCounters begin_;
};

// A process moves to and fro while the network delays frames ("delayed"), or loses some ("lossy").
// It is whole, and stands still no shorter than the network takes.
Result<void> move_while_impaired(Stage& stage, const Run& run, const std::string& event);

// The network is cut amid a move, at one moment after the other: "cut-leaving" on the way out,
// "cut-coming" on the way home. One copy lives or a death is reported, in time, and nothing is
// left.
Result<void> play_cut(Stage& stage, const Run& run, const std::string& event);

// The network is cut for some seconds at each message of the run: the process arrives, and is
// whole.
Result<void> play_blips(Stage& stage, const Run& run);

}  // namespace mosrig
