// SPDX-License-Identifier: GPL-2.0-only
// Who the others are: nodes of the map that come and go, and those that announce themselves.
#include <algorithm>
#include <utility>

#include "omd/daemon.h"

namespace mosrig {

Result<void> Daemon::add(const Peer& peer) {
    cluster_.peers.push_back(peer);
    const Peer& kept = cluster_.peers.back();
    Node node;
    node.dialer = std::make_unique<Dialer>(
        cluster_, kept, settings_.limits, seed_++,
        Dialer::Events{[this](const Peer& from, Fd socket, const om_features& theirs) {
                           return on_linked(from, std::move(socket), theirs);
                       },
                       [this](const Peer& from, const std::string& why, bool reached) {
                           on_failed(from, why, reached);
                       }});
    node.down_since = Clock::now();
    if (auto configured = configure(node); !configured) {
        cluster_.peers.pop_back();
        return configured;
    }
    nodes_.push_back(std::move(node));
    return {};
}

void Daemon::tell_removed(std::uint32_t id) {
    om_node message{};
    message.id = id;
    message.state = OM_NODE_REMOVED;
    if (auto told = device_.set_node(message); !told) {
        log_.limited_line("node {}: {}", id, told.error().text);
    }
}

void Daemon::remove(std::uint32_t id, const char* why) {
    Node* node = node_of(id);
    const Peer& peer = node->dialer->peer();
    log_.limited_line("{} (node {}) {}", peer.name, id, why);
    acceptor_->forget(peer);
    nodes_.remove_if([&](const Node& one) { return &one == node; });
    cluster_.peers.remove_if([&](const Peer& one) { return one.id == id; });
    tell_removed(id);
}

void Daemon::set_peers(const std::vector<Peer>& peers) {
    std::vector<std::uint32_t> gone;
    for (const Peer& old : cluster_.peers) {
        const auto same = std::find_if(peers.begin(), peers.end(), [&](const Peer& peer) {
            return peer.id == old.id && peer.endpoint.address == old.endpoint.address &&
                   peer.endpoint.port == old.endpoint.port;
        });
        if (same == peers.end()) {
            gone.push_back(old.id);
        }
    }
    for (const std::uint32_t id : gone) {
        remove(id, "is not in the map any more");
    }
    for (const Peer& peer : peers) {
        if (node_of(peer.id) == nullptr) {
            log_.limited_line("{} (node {}) is new", peer.name, peer.id);
            if (auto added = add(peer); !added) {
                log_.limited_line("{}", added.error().text);
            }
        }
    }
    listen_to_pools();
    if (balancer_) {
        balancer_->peers_changed();
    }
}

void Daemon::on_announced(std::uint32_t id, Endpoint endpoint) {
    if (id == settings_.self || node_of(id) != nullptr) {
        return;
    }
    const Peer peer{
        id, format_address(endpoint.address), {endpoint.address, link_port}, endpoint.port};
    log_.limited_line("{} (node {}) has announced itself", peer.name, id);
    if (auto added = add(peer); !added) {
        log_.limited_line("{}", added.error().text);
    }
    listen_to_pools();
    balancer_->peers_changed();
}

void Daemon::forget_lost(Instant now) {
    if (forget_ <= 0) {
        return;
    }
    std::vector<std::uint32_t> lost;
    for (const Node& node : nodes_) {
        if (node.told != Known::up && now - node.down_since > std::chrono::milliseconds(forget_)) {
            lost.push_back(node.dialer->peer().id);
        }
    }
    for (const std::uint32_t id : lost) {
        remove(id, "has been down for long and is forgotten");
    }
    if (!lost.empty()) {
        listen_to_pools();
        balancer_->peers_changed();
    }
}

}  // namespace mosrig
