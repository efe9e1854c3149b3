// SPDX-License-Identifier: GPL-2.0-only
// The guest's side: takes connections in, authenticates them and hands them on. What a stranger
// can do here is bounded in number and in time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <set>
#include <string>

#include "omd/cluster.h"
#include "omd/connection.h"

namespace mosrig {

class Acceptor {
  public:
    // Called with each authenticated connection.
    using Handover = std::function<void(const Peer& peer, Fd socket)>;

    static constexpr std::size_t most_pending = 64;
    static constexpr std::size_t most_pending_per_peer = 16;

    Acceptor(Cluster& cluster, Fd listener, Handover handover);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    // Starts listening to the reactor.
    Result<void> start();
    // A peer is no longer one: what it has under way ends.
    void forget(const Peer& peer);
    // Ends what took too long.
    void expire(Instant now);
    // Deadline of the oldest connection; Instant::max() if there is none.
    [[nodiscard]] Instant next() const;

  private:
    struct Pending {
        const Peer* peer;
        Connection connection;
    };
    using Place = std::list<Pending>::iterator;

    void on_listener();
    void take(Fd socket, std::uint32_t address, Instant now);
    void on_ready(Place place);
    void refuse(Place place, Refusal why, const std::string& text);
    void remember(const Nonce& nonce);

    Cluster& cluster_;
    Fd listener_;
    Handover handover_;
    std::list<Pending> pending_;
    // Nonces of links that were made: who shows one of them again replays a recording. The MAC
    // would refuse it as well; this tells it from a wrong key.
    std::set<Nonce> known_;
    std::deque<Nonce> known_order_;
};

}  // namespace mosrig
