// SPDX-License-Identifier: MIT
// The messages of a move: when each of them is sent, and how to have it sent.
#pragma once

#include <string>
#include <vector>

#include "harness/conformance/stage.h"

namespace mosrig {

// When a message is seen: on the way out; as the guest has no room for it; while the process is
// away; as the guest wants it gone; on the way home.
enum class Leg { out, refused, away, expelled, home };

struct Message {
    Leg leg = Leg::out;
    bool from_home = true;
    // Until home has sent COMMIT the process has not left: no failure elsewhere may cost its life.
    bool before_commit = false;
    // What the kernel's fault point calls it.
    std::string type = {};
    // The process comes from the guest, and goes on to the node after it.
    bool onward = false;

    // Whether home is the `side` ("send", "recv") of it.
    [[nodiscard]] bool at_home(const std::string& side) const {
        return (side == "send") == from_home;
    }
};

// The message of that name: the kernel's, or with -up (to home) and -down of one that goes both
// ways, or with onward- of one that is seen as a process goes on from node to node: on its way out
// to the next of them, or as it leaves the one before. A usage error if there is none.
Result<Message> find_message(const std::string& name);

// The sides of a message for which `action` can be ordered.
std::vector<std::string> sides_of(const std::string& action);

// How many failures a run has: each of its events at each side of each of its messages.
int count_failures(const Run& run);

// Where the process goes, or would go, with it.
Machine& destination_of(Stage& stage, const Message& message);

// The same as a request has it: home is 0.
int target_of(Stage& stage, const Message& message);

// The node that is the `side` of it.
Machine& machine_of(Stage& stage, const Message& message, const std::string& side);

// Brings a process that is at home to where the message comes next, orders `action` at it for one
// side, and asks for what has it sent. Gives the moment of the order.
Result<Clock::time_point> provoke(Stage& stage, std::int64_t pid, const Message& message,
                                  const std::string& side, const std::string& action);

}  // namespace mosrig
