// SPDX-License-Identifier: GPL-2.0-only
// The home's side of one peer: connects, authenticates and fills the pool of idle links.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>

#include "omd/cluster.h"
#include "omd/connection.h"
#include "omd/pool.h"

namespace mosrig {

class Dialer {
  public:
    struct Events {
        // An authenticated connection and what the peer told of itself. Returns whether the
        // kernel took the link.
        std::function<bool(const Peer& peer, Fd socket, const om_features& features)> linked;
        // `reached`: the peer took the connection; what failed came after that.
        std::function<void(const Peer& peer, const std::string& why, bool reached)> failed;
    };

    Dialer(Cluster& cluster, const Peer& peer, PoolPolicy::Limits limits, std::uint64_t seed,
           Events events);
    ~Dialer();
    Dialer(const Dialer&) = delete;
    Dialer& operator=(const Dialer&) = delete;

    // Connects as often as the policy says and ends what took too long.
    void run(Instant now, unsigned idle);
    // When run() has something to do next; Instant::max() if only an event can bring it.
    [[nodiscard]] Instant next(Instant now, unsigned idle) const;
    // The peer connected to us.
    void peer_seen() { policy_.peer_seen(); }
    [[nodiscard]] unsigned under_way() const { return static_cast<unsigned>(attempts_.size()); }
    [[nodiscard]] const Peer& peer() const { return peer_; }

  private:
    using Place = std::list<Connection>::iterator;

    void start(Instant now);
    void on_ready(Place place);
    void drop(Place place, const std::string& why);
    void failed(const std::string& why, bool reached);

    Cluster& cluster_;
    const Peer& peer_;
    PoolPolicy policy_;
    Events events_;
    std::list<Connection> attempts_;
};

}  // namespace mosrig
