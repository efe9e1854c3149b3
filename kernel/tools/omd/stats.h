// SPDX-License-Identifier: GPL-2.0-only
// What the daemon counts. One "name value" line each in /run/openmosix/omd.stats.
#pragma once

#include <cstdint>
#include <string>

#include "omd/handshake.h"

namespace mosrig {

struct Stats {
    std::uint64_t accepted = 0;           // connections taken in
    std::uint64_t authenticated_in = 0;   // of those, handed to a stub
    std::uint64_t refused = 0;            // all refused incoming connections; by cause:
    std::uint64_t refused_stranger = 0;   // address not in the map
    std::uint64_t refused_overflow = 0;   // too many unauthenticated ones at a time
    std::uint64_t refused_timeout = 0;    // did not finish in time, or hung up
    std::uint64_t refused_malformed = 0;  // no handshake of this version
    std::uint64_t refused_node = 0;       // ids that do not fit the map
    std::uint64_t refused_replay = 0;     // a nonce seen before
    std::uint64_t refused_key = 0;        // wrong MAC
    std::uint64_t refused_protocol = 0;   // the kernels speak different protocols
    std::uint64_t connects = 0;           // connections started
    std::uint64_t authenticated_out = 0;  // of those, authenticated
    std::uint64_t connect_failures = 0;
    std::uint64_t links_added = 0;  // handed to the kernel
    std::uint64_t link_add_failures = 0;
    std::uint64_t stubs_started = 0;
    std::uint64_t stubs_ended = 0;
    std::uint64_t stub_failures = 0;  // fork or the kernel refused

    std::uint64_t packets_out = 0;       // datagrams
    std::uint64_t packets_in = 0;        // all that came; of those refused, by cause:
    std::uint64_t packets_stranger = 0;  // address not in the cluster
    std::uint64_t packets_key = 0;       // wrong MAC
    std::uint64_t packets_replay = 0;    // seen before, or of an earlier run
    std::uint64_t packets_version = 0;
    std::uint64_t packets_garbage = 0;  // too short, too long, fields out of range, for others
    std::uint64_t challenges = 0;       // sent, to runs that had not proved yet to be fresh

    // Counts one refused handshake.
    void count_refusal(Refusal why);
    // One "name value" line a counter.
    [[nodiscard]] std::string lines() const;
};

}  // namespace mosrig
