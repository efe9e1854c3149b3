// SPDX-License-Identifier: GPL-2.0-only
#include "omd/acceptor.h"

#include <algorithm>
#include <utility>

#include "common/map.h"

namespace mosrig {
namespace {

constexpr std::size_t most_known_nonces = 4096;

}  // namespace

Acceptor::Acceptor(Cluster& cluster, Fd listener, Handover handover)
    : cluster_(cluster), listener_(std::move(listener)), handover_(std::move(handover)) {}

Acceptor::~Acceptor() {
    for (const Pending& pending : pending_) {
        cluster_.reactor.remove(pending.connection.fd());
    }
    cluster_.reactor.remove(listener_.get());
}

Result<void> Acceptor::start() {
    return cluster_.reactor.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { on_listener(); });
}

void Acceptor::forget(const Peer& peer) {
    for (auto place = pending_.begin(); place != pending_.end();) {
        const auto current = place++;
        if (current->peer == &peer) {
            cluster_.reactor.remove(current->connection.fd());
            pending_.erase(current);
        }
    }
}

void Acceptor::expire(Instant now) {
    for (auto place = pending_.begin(); place != pending_.end();) {
        const auto current = place++;
        if (current->connection.deadline() <= now) {
            refuse(current, Refusal::none, "no complete handshake in time");
        }
    }
}

Instant Acceptor::next() const {
    return pending_.empty() ? Instant::max() : pending_.front().connection.deadline();
}

void Acceptor::on_listener() {
    // Not without end: what waits longer is reported again.
    for (std::size_t i = 0; i < most_pending; i++) {
        std::uint32_t address = 0;
        Fd socket = accept_one(listener_.get(), address);
        if (!socket.valid()) {
            return;
        }
        take(std::move(socket), address, Clock::now());
    }
}

void Acceptor::take(Fd socket, std::uint32_t address, Instant now) {
    Stats& stats = cluster_.stats;
    stats.accepted++;
    const Peer* peer = cluster_.peer_at(address);
    if (peer == nullptr) {
        stats.refused++;
        stats.refused_stranger++;
        cluster_.log.stranger_line("refused a connection from {}: not in the map",
                                   format_address(address));
        return;
    }
    const auto same = std::count_if(pending_.begin(), pending_.end(),
                                    [&](const Pending& p) { return p.peer == peer; });
    if (pending_.size() >= most_pending ||
        static_cast<std::size_t>(same) >= most_pending_per_peer) {
        stats.refused++;
        stats.refused_overflow++;
        cluster_.log.stranger_line(
            "refused a connection from {}: too many that are not "
            "authenticated yet",
            peer->name);
        return;
    }
    if (auto tuned = tune_link(socket.get()); !tuned) {
        cluster_.log.limited_line("{}: {}", peer->name, tuned.error().text);
        return;
    }
    Handshake handshake({.role = Role::guest,
                         .home = peer->id,
                         .guest = cluster_.self,
                         .nonce = make_nonce(),
                         .features = cluster_.features,
                         .keys = &cluster_.keys,
                         .seen = [this](const Nonce& nonce) { return known_.contains(nonce); }});
    const int fd = socket.get();
    const auto place = pending_.insert(
        pending_.end(),
        {peer, Connection(std::move(socket), std::move(handshake), false, now + handshake_time)});
    auto added =
        cluster_.reactor.add(fd, EPOLLIN, [this, place](std::uint32_t) { on_ready(place); });
    if (!added) {
        refuse(place, Refusal::none, added.error().text);
    }
}

void Acceptor::on_ready(Place place) {
    Connection& connection = place->connection;
    switch (connection.advance()) {
        case Connection::Status::under_way:
            cluster_.reactor.modify(connection.fd(), connection.interest());
            return;
        case Connection::Status::failed:
            refuse(place, connection.handshake().refusal(), connection.error());
            return;
        case Connection::Status::authenticated:
            break;
    }
    cluster_.stats.authenticated_in++;
    remember(connection.handshake().home_nonce());
    cluster_.reactor.remove(connection.fd());
    const Peer& peer = *place->peer;
    Fd socket = connection.take_socket();
    pending_.erase(place);
    handover_(peer, std::move(socket));
}

void Acceptor::refuse(Place place, Refusal why, const std::string& text) {
    cluster_.stats.count_refusal(why);
    cluster_.log.stranger_line("refused a link from {} ({}): {}", place->peer->name,
                               format_address(place->peer->endpoint.address), text);
    cluster_.reactor.remove(place->connection.fd());
    pending_.erase(place);
}

void Acceptor::remember(const Nonce& nonce) {
    if (!known_.insert(nonce).second) {
        return;
    }
    known_order_.push_back(nonce);
    if (known_order_.size() > most_known_nonces) {
        known_.erase(known_order_.front());
        known_order_.pop_front();
    }
}

}  // namespace mosrig
