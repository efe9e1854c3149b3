// SPDX-License-Identifier: MIT
// Visitors: somebody is about to write into the memory of a process that is about to leave or to
// come home, or into a file of which it maps a shared view. He waits until it is at home.
#pragma once

#include <memory>
#include <string>

#include "harness/conformance/stage.h"

namespace mosrig {

struct Visit {
    Subject subject;
    std::unique_ptr<Program> visitor;
};

// The request that stands still at a message, on which node.
struct Moment {
    Machine& node;
    const char* fault;
    std::string request;  // what is written to goto
};

Moment as_it_leaves(Stage& stage);
Moment as_it_is_called(Stage& stage);

// A process of the kind that `memory` knows stands still at that moment, and its visitor waits.
Result<Visit> begin_visit(Stage& stage, const std::string& kind, const Moment& moment,
                          const Deadline& deadline);

// What he wrote is there when he has been let in. `reason`: what the process comes home for.
Result<void> visit_at_the_door(Stage& stage, const std::string& kind, const Moment& moment,
                               const std::string& reason);

// While its stub is made it is at home, and who writes need not wait: it takes the word along.
Result<void> visit_before_it_leaves(Stage& stage, const std::string& kind);

// It dies meanwhile: nothing of it is there to be written to, and nobody is told that he has.
Result<void> visit_the_dying(Stage& stage);

}  // namespace mosrig
