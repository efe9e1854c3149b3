// SPDX-License-Identifier: GPL-2.0-only
// This node as the balancer needs it: what runs here, and how to move it. The tests have one in
// memory.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <string>

#include "common/result.h"
#include "omd/policy/agent.h"

namespace mosrig {

class Machine {
  public:
    virtual ~Machine() = default;

    // Can this kernel be balanced? If not, why.
    virtual Result<void> ready() = 0;
    // Counts what runs here.
    virtual policy::Observation observe() = 0;
    // Asks the kernel for a balancer's move. EAGAIN: there is no idle link at the moment.
    virtual Result<void> move(pid_t pid, std::uint32_t target, bool to_home) = 0;

    // Takes a request back that the process did not follow yet. False for a guest: what was asked
    // of its home cannot be taken back, and it stays because its home does not let it go.
    virtual bool cancel(pid_t pid) = 0;

    enum class Progress : std::uint8_t {
        under_way,
        done,
        failed,
        returned,  // it went, and is here again already
    };
    struct Journey {
        Progress progress = Progress::under_way;
        std::uint64_t pages = 0;  // moved, if it is known
        policy::Millis took =
            0;                 // from when it stood still until all its pages had gone; 0: unknown
        bool follows = false;  // it is done, but its pages still follow: look again
    };
    // What became of a move.
    virtual Journey journey(pid_t pid, std::uint32_t target) = 0;
    // May this user have the process moved? By the rule of kill(2).
    virtual bool may_move(pid_t pid, uid_t user) = 0;
};

}  // namespace mosrig
