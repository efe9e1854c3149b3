// SPDX-License-Identifier: GPL-2.0-only
// What both halves of the daemon, acceptor and dialer, know and use.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <list>
#include <string>

#include "omd/key.h"
#include "omd/log.h"
#include "omd/packet.h"
#include "omd/reactor.h"
#include "omd/socket.h"
#include "omd/stats.h"

namespace mosrig {

struct Peer {
    std::uint32_t id;
    std::string name;
    Endpoint endpoint;                                // of its links
    std::uint16_t gossip_port = default_gossip_port;  // at the same address
};

struct Cluster {
    std::uint32_t self;
    std::uint32_t address;  // own, on the fabric; host byte order
    om_features features;   // own
    std::string name;       // own
    const LinkKeys& keys;
    std::list<Peer> peers;  // others keep references
    Reactor& reactor;
    Log& log;
    Stats& stats;

    [[nodiscard]] const Peer* peer_at(std::uint32_t peer_address) const {
        const auto found = std::find_if(peers.begin(), peers.end(), [&](const Peer& peer) {
            return peer.endpoint.address == peer_address;
        });
        return found != peers.end() ? &*found : nullptr;
    }
};

// A handshake, from the first packet on, takes no longer than this.
inline constexpr std::chrono::seconds handshake_time{5};

}  // namespace mosrig
