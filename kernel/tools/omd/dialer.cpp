// SPDX-License-Identifier: GPL-2.0-only
#include "omd/dialer.h"

#include <algorithm>
#include <utility>

namespace mosrig {

Dialer::Dialer(Cluster& cluster, const Peer& peer, PoolPolicy::Limits limits, std::uint64_t seed,
               Events events)
    : cluster_(cluster), peer_(peer), policy_(limits, seed), events_(std::move(events)) {}

Dialer::~Dialer() {
    for (const Connection& attempt : attempts_) {
        cluster_.reactor.remove(attempt.fd());
    }
}

void Dialer::run(Instant now, unsigned idle) {
    for (auto place = attempts_.begin(); place != attempts_.end();) {
        const auto current = place++;
        if (current->deadline() <= now) {
            drop(current, "no answer in time");
        }
    }
    for (unsigned due = policy_.due(now, idle, under_way()); due > 0; due--) {
        start(now);
    }
}

Instant Dialer::next(Instant now, unsigned idle) const {
    const Instant expiry = attempts_.empty() ? Instant::max() : attempts_.front().deadline();
    return std::min(expiry, policy_.next(now, idle, under_way()));
}

void Dialer::start(Instant now) {
    policy_.started(now);
    cluster_.stats.connects++;
    auto socket = start_connect(cluster_.address, peer_.endpoint);
    if (!socket) {
        return failed(socket.error().text, false);
    }
    if (auto tuned = tune_link(socket->get()); !tuned) {
        return failed(tuned.error().text, false);
    }
    const int fd = socket->get();
    Handshake handshake({.role = Role::home,
                         .home = cluster_.self,
                         .guest = peer_.id,
                         .nonce = make_nonce(),
                         .features = cluster_.features,
                         .keys = &cluster_.keys});
    const auto place = attempts_.emplace(attempts_.end(), std::move(*socket), std::move(handshake),
                                         true, now + handshake_time);
    auto added = cluster_.reactor.add(fd, place->interest(),
                                      [this, place](std::uint32_t) { on_ready(place); });
    if (!added) {
        drop(place, added.error().text);
    }
}

void Dialer::on_ready(Place place) {
    switch (place->advance()) {
        case Connection::Status::under_way:
            cluster_.reactor.modify(place->fd(), place->interest());
            return;
        case Connection::Status::failed:
            drop(place, std::string(place->error()));
            return;
        case Connection::Status::authenticated:
            break;
    }
    cluster_.stats.authenticated_out++;
    cluster_.reactor.remove(place->fd());
    const om_features features = place->handshake().peer_features();
    Fd socket = place->take_socket();
    attempts_.erase(place);
    if (events_.linked(peer_, std::move(socket), features)) {
        policy_.succeeded();
    } else {
        policy_.failed(Clock::now());
    }
}

void Dialer::drop(Place place, const std::string& why) {
    const bool reached = place->connected();
    cluster_.reactor.remove(place->fd());
    attempts_.erase(place);
    failed(why, reached);
}

void Dialer::failed(const std::string& why, bool reached) {
    cluster_.stats.connect_failures++;
    policy_.failed(Clock::now());
    events_.failed(peer_, why, reached);
}

}  // namespace mosrig
