// SPDX-License-Identifier: GPL-2.0-only
// When to connect to a peer: keeps its pool of idle links full without hammering it.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace mosrig {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

class PoolPolicy {
  public:
    struct Limits {
        unsigned idle = 4;                           // links that should wait in the kernel
        std::chrono::milliseconds first_pause{100};  // after a failure; doubles with each
        std::chrono::milliseconds longest_pause{3000};
        // A link that dies as soon as it is made must not become a storm of connections.
        unsigned burst = 8;
        std::chrono::milliseconds per_connect{100};
    };

    PoolPolicy(Limits limits, std::uint64_t seed) : limits_(limits), random_(seed) {}

    // How many connections to start now. One at a time while the peer does not answer.
    [[nodiscard]] unsigned due(Instant now, unsigned idle, unsigned under_way) const;
    // When due() may say more than now, if nothing else happens; Instant::max() if never.
    [[nodiscard]] Instant next(Instant now, unsigned idle, unsigned under_way) const;

    void started(Instant now);
    void succeeded();
    void failed(Instant now);
    // The peer showed itself (it connected to us): no need to wait any longer.
    void peer_seen();

  private:
    Limits limits_;
    std::mt19937_64 random_;
    unsigned failures_ = 0;
    Instant not_before_{};
    Instant bucket_empty_at_{};  // virtual time of the last connection, for the rate
};

}  // namespace mosrig
