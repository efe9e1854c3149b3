// SPDX-License-Identifier: MIT
// Programs that the balancer is watched with: where they are, and how many moves they have made.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/conformance/stage.h"

namespace mosrig {

// For what starts at no moment that could be seen: the load rises, is told, and somebody moves.
constexpr Millis spreading_time(15000);

struct Watched {
    Subject subject;       // what the rig talks to
    std::int64_t pid = 0;  // what is looked at: it, or its child
};
using Crew = std::vector<Watched>;

struct Placement {
    std::map<int, int> on_node;
    std::int64_t moves = 0;

    // Whether no node has two more than another.
    [[nodiscard]] bool even(size_t nodes) const;
    // Whether the machines have so many, in their order.
    [[nodiscard]] bool is(const std::vector<int>& counts, const Machines& machines) const;
    [[nodiscard]] std::string words() const;
};

Result<Placement> look(Stage& stage, const Crew& crew);

// Starts so many of the run's program, with `between` before each and after the last. What the
// run's first phase sends is sent, and the process that this phase is about is watched.
Result<Crew> start_copies(Stage& stage, const Run& run, int copies,
                          const std::function<Result<void>()>& between = {});

// A run of that command and nothing else.
Run run_of(std::vector<std::string> command);

// Waits until one of them has moved. Where they are then, or at the end of the wait.
Result<Placement> await_leaving(Stage& stage, const Crew& crew);

// Nobody moves for so long, by the clock: the balancer's periods are no longer on a slow node. It
// is looked at seldom, since on such a node looking is a load, too.
Result<void> expect_rest(Stage& stage, const Crew& crew, Millis time, const std::string& who);

// All of them are intact and end well.
Result<void> finish_all(Stage& stage, Crew& crew);

}  // namespace mosrig
