// SPDX-License-Identifier: GPL-2.0-only
// Datagrams to and from the peers: authentic, fresh, or dropped and counted.
#pragma once

#include <functional>
#include <span>
#include <unordered_map>
#include <utility>

#include "omd/cluster.h"
#include "omd/packet.h"
#include "omd/pool.h"
#include "omd/session.h"
#include "omd/slots.h"

namespace mosrig {

// Where nodes announce themselves if there is no map: a multicast group of the fabric.
inline constexpr std::uint32_t announce_group = 0xefff361c;  // 239.255.54.28

// The id of a node that has no map: the last two bytes of its address.
std::uint32_t announced_id(std::uint32_t address);

class Gossip {
  public:
    struct Events {
        std::function<void(std::uint32_t node, const policy::Message& message)> message;
        // A node that is not in the cluster has proved that it knows the key; if announcements
        // are on.
        std::function<void(std::uint32_t node, Endpoint endpoint)> announced = nullptr;
    };

    // `socket`: from bind_datagrams(). `group`: from join_group(), or invalid.
    Gossip(Cluster& cluster, Fd socket, Fd group, Events events);
    ~Gossip();
    Gossip(const Gossip&) = delete;
    Gossip& operator=(const Gossip&) = delete;

    // Starts listening to the reactor.
    Result<void> start();
    // The cluster's list of peers has changed.
    void peers_changed();
    void send(std::uint32_t node, const policy::Message& message);
    // Tells the group that there is a node here.
    void announce();

  private:
    struct State {
        const Peer* peer;
        Session session;
        Instant challenged{};  // last; not more often than the line can bear
        Bytes last;            // payload, said again if the peer asks for proof
    };

    void on_readable(int fd);
    void take(std::span<const std::uint8_t> bytes, Endpoint source);
    void take_from_peer(State& state, const Opened& packet);
    void take_from_unknown(const Opened& packet, Endpoint source);
    bool usable(const Opened& packet, Endpoint source);
    void challenge(State& state, const PacketHeader& header);
    void answer_challenge(State& state);
    void send_packet(Endpoint target, const PacketHeader& header,
                     std::span<const std::uint8_t> payload);
    PacketHeader header(PacketType type, std::uint32_t to, std::uint64_t echo);

    Cluster& cluster_;
    Fd socket_;
    Fd group_;
    Events events_;
    OwnRun run_;
    // Of strangers, by node id and run: a recording has the run of its time, and takes no turn of
    // the node's that is there now.
    using Run = std::pair<std::uint32_t, std::uint64_t>;
    Slots<Run> challenges_;
    Slots<Run> answers_;
    std::unordered_map<std::uint32_t, State> states_;              // by node id
    std::unordered_map<std::uint32_t, std::uint32_t> by_address_;  // node id
};

}  // namespace mosrig
