// SPDX-License-Identifier: GPL-2.0-only
// What the policies of two nodes say to each other. How it travels is the daemon's affair.
#pragma once

#include <cstdint>
#include <vector>

#include "omd/policy/members.h"
#include "omd/policy/types.h"

namespace mosrig::policy {

struct Message {
    enum class Kind : std::uint8_t {
        ping = 1,  // are you there? Carries gossip, as the answer does
        ack,
        ask_for,  // ping `about` for me
        request,  // may a process come?
        grant,
        refuse,
        release,  // it has come, or will not
        leave,    // the sender's daemon ends
    };
    Kind kind = Kind::ping;
    std::uint32_t number = 0;  // of a ping or a request; its answers repeat it

    // ping, ack, ask_for, and whatever tells the sender's own load
    // ask_for: whom to ask; ack: who has answered, if not the sender; request: the process's home,
    // 0 is the sender
    NodeId about = 0;
    LoadEntry own;
    std::vector<LoadEntry> loads;
    std::vector<Rumour> rumours;

    // request
    double demand = 0;  // runnable processes that it adds
    double rate = 0;    // share of a CPU of `own.load.speed` that it would get by staying
    Pages pages = 0;
    bool urgent = false;    // for want of memory: even if it would run slower
    bool eviction = false;  // by an owner: as fast is enough
    // release
    bool done = false;
};

}  // namespace mosrig::policy
