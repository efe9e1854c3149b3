// SPDX-License-Identifier: GPL-2.0-only
#include "omd/daemon.h"

#include <arpa/inet.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/file.h"

namespace mosrig {
namespace {

// The device reports changes of the pools, but one that comes while several pools are read, one
// by one, is lost: hence a look now and then. Without reports it is all there is.
constexpr std::chrono::milliseconds pool_look{1000};
constexpr std::chrono::milliseconds pool_look_unpolled{500};
constexpr std::chrono::milliseconds stats_period{1000};

const char* const state_names[] = {"unknown", "down", "up"};

}  // namespace

Daemon::Daemon(Settings settings, KernelDevice& device, const LinkKeys& keys, Fd listener,
               Reactor& reactor, Log& log, StartStub start_stub)
    : settings_(std::move(settings)),
      device_(device),
      reactor_(reactor),
      log_(log),
      start_stub_(std::move(start_stub)),
      cluster_{settings_.self, settings_.address, {}, settings_.name, keys, {}, reactor, log,
               stats_},
      listener_(std::move(listener)) {}

Daemon::~Daemon() {
    if (polled_) {
        reactor_.remove(device_.poll_fd());
    }
}

Result<void> Daemon::start(std::optional<Balance> balance) {
    const auto features = device_.features();
    if (!features) {
        return tl::unexpected(features.error());
    }
    cluster_.features = *features;
    if (auto told = tell_self(); !told) {
        return told;
    }
    const Nonce chance = make_nonce();
    std::memcpy(&seed_, chance.data(), sizeof(seed_));
    acceptor_ = std::make_unique<Acceptor>(
        cluster_, std::move(listener_),
        [this](const Peer& peer, Fd socket) { on_arrived(peer, socket); });
    for (const std::uint32_t id : settings_.earlier) {
        const bool stays =
            id == settings_.self || std::any_of(settings_.peers.begin(), settings_.peers.end(),
                                                [&](const Peer& peer) { return peer.id == id; });
        if (!stays) {
            tell_removed(id);
        }
    }
    for (const Peer& peer : settings_.peers) {
        if (auto added = add(peer); !added) {
            return added;
        }
    }
    listen_to_pools();
    log_.line("node {} at {} of {}, kernel protocol {}", settings_.self,
              format_address(settings_.address), cluster_.peers.size() + 1,
              cluster_.features.protocol);
    if (balance) {
        if (auto started = start_balancer(std::move(*balance)); !started) {
            return started;
        }
    }
    return acceptor_->start();
}

Result<void> Daemon::tell_self() {
    if (auto told = device_.set_self(settings_.self); !told) {
        return told;
    }
    configured_ = true;
    // A kernel of before this does not want to hear of its own node.
    om_node own{};
    own.id = settings_.self;
    own.state = OM_NODE_UP;
    own.addr = htonl(settings_.address);
    own.features = cluster_.features;
    (void)device_.set_node(own);
    return {};
}

Result<void> Daemon::restore() {
    return tell_self().map([this] { read_pools(); });
}

// A report lasts until a pool is read: without a peer there would be no end to it.
void Daemon::listen_to_pools() {
    const bool wanted = !nodes_.empty();
    if (polled_ && !wanted) {
        reactor_.remove(device_.poll_fd());
        polled_ = false;
    } else if (!polled_ && wanted) {
        polled_ = reactor_.add(device_.poll_fd(), EPOLLIN, [this](std::uint32_t) { read_pools(); })
                      .has_value();
    }
}

Result<void> Daemon::start_balancer(Balance balance) {
    forget_ = balance.forget;
    decltype(Gossip::Events::announced) announced;
    if (balance.settings.announce) {
        announced = [this](std::uint32_t id, Endpoint endpoint) { on_announced(id, endpoint); };
    }
    balancer_ = std::make_unique<Balancer>(cluster_, device_, balance.machine, balance.settings,
                                           std::move(balance.socket), std::move(balance.group),
                                           std::move(announced));
    return balancer_->start();
}

bool Daemon::linked(std::uint32_t id) const {
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
        return node.dialer->peer().id == id && node.told == Known::up;
    });
}

void Daemon::run_once(std::chrono::milliseconds longest) {
    const Instant now = Clock::now();
    acceptor_->expire(now);
    if (now - pools_read_ >= (polled_ ? pool_look : pool_look_unpolled)) {
        read_pools();
    }
    Instant wake = std::min(now + longest, acceptor_->next());
    wake = std::min(wake, pools_read_ + (polled_ ? pool_look : pool_look_unpolled));
    if (balancer_) {
        balancer_->run(now);
        wake = std::min(wake, balancer_->next());
        follow_gossip();
    }
    for (Node& node : nodes_) {
        node.dialer->run(now, useful_links(node));
        wake = std::min(wake, node.dialer->next(now, useful_links(node)));
    }
    if (!settings_.stats_path.empty()) {
        if (now - stats_looked_ >= stats_period) {
            look_at_stats(now);
        }
        wake = std::min(wake, stats_looked_ + stats_period);
    }
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(wake - now);
    reactor_.run_once(std::max(wait, std::chrono::milliseconds(0)));
}

void Daemon::on_stubs_ended(unsigned ended) {
    stats_.stubs_ended += ended;
}

void Daemon::show_stats() {
    for (std::string rest = stats_lines(); !rest.empty();) {
        const std::size_t end = rest.find('\n');
        log_.line("{}", rest.substr(0, end));
        rest.erase(0, end + 1);
    }
    write_stats(stats_lines());
}

Result<void> Daemon::configure(Node& node) {
    // Idle links are from an omd before us, which has told the kernel all about the node: a
    // restart disturbs nobody. A new link will show whether it is still true.
    if (const auto idle = device_.idle_links(node.dialer->peer().id); idle && *idle > 0) {
        node.idle = *idle;
        node.told = Known::up;
        return {};
    }
    if (!tell(node, Known::down)) {
        return fail(fmt::format("the kernel does not take node {}", node.dialer->peer().id));
    }
    return {};
}

bool Daemon::on_linked(const Peer& peer, Fd socket, const om_features& features) {
    Node& node = *node_of(peer.id);
    const bool changed = std::memcmp(&features, &node.features, sizeof(features)) != 0;
    node.features = features;
    if (balancer_) {
        balancer_->set_unlike(peer.id,
                              std::memcmp(&features, &cluster_.features, sizeof(features)) != 0);
    }
    if ((node.told != Known::up || changed) && !silent(node) && !tell(node, Known::up)) {
        return false;
    }
    if (auto added = device_.add_link(peer.id, socket.get()); !added) {
        stats_.link_add_failures++;
        log_.limited_line("{}: {}", peer.name, added.error().text);
        return false;
    }
    stats_.links_added++;
    node.trouble.clear();
    // The kernel's own count follows with the next look; until then no fifth link is made.
    node.idle++;
    return true;
}

void Daemon::on_failed(const Peer& peer, const std::string& why, bool reached) {
    Node& node = *node_of(peer.id);
    node.reached = reached;
    if (node.trouble != why) {
        node.trouble = why;
        log_.limited_line("{} ({}): cannot link: {}", peer.name,
                          format_address(peer.endpoint.address), why);
    }
    lower_if_lost(node);
}

void Daemon::on_arrived(const Peer& peer, const Fd& socket) {
    node_of(peer.id)->dialer->peer_seen();
    if (auto stub = start_stub_(peer.id, socket.get()); !stub) {
        stats_.stub_failures++;
        log_.limited_line("{}: {}", peer.name, stub.error().text);
        return;
    }
    stats_.stubs_started++;
}

bool Daemon::tell(Node& node, Known state) {
    const Peer& peer = node.dialer->peer();
    om_node message{};
    message.id = peer.id;
    message.state = state == Known::up ? OM_NODE_UP : OM_NODE_DOWN;
    message.addr = htonl(peer.endpoint.address);
    if (state == Known::up) {
        message.features = node.features;
    }
    if (auto told = device_.set_node(message); !told) {
        log_.limited_line("{}: {}", peer.name, told.error().text);
        if (told.error().code == ENXIO && configured_) {
            configured_ = false;
            log_.line(
                "this node is not configured any more (setpe -off): until the next reload "
                "it makes no links");
        }
        return false;
    }
    if (node.told != state) {
        node.down_since = Clock::now();
        log_.limited_line("{} (node {}, {}) is {}", peer.name, peer.id,
                          format_address(peer.endpoint.address),
                          state_names[static_cast<std::size_t>(state)]);
    }
    node.told = state;
    return true;
}

void Daemon::read_pools() {
    pools_read_ = Clock::now();
    forget_lost(pools_read_);
    for (Node& node : nodes_) {
        const auto idle = device_.idle_links(node.dialer->peer().id);
        if (idle) {
            node.idle = *idle;
        } else if (idle.error().code == ENXIO && configured_) {
            on_forgotten(node);
        }
        if (configured_) {
            lower_if_lost(node);
        }
    }
}

// The kernel knows the node no more. If it does not know who this node is either, nothing can be
// told to it: then somebody has unconfigured it, and it stays so until he takes that back.
void Daemon::on_forgotten(Node& node) {
    node.idle = 0;
    node.told = Known::nothing;
    node.trouble.clear();
    tell(node, Known::down);
}

// Idle links that live prove more than a connection that failed. So do datagrams, if the node took
// the connection: one that has much to do is late with its handshakes.
void Daemon::lower_if_lost(Node& node) {
    const bool busy = node.reached && gossiped(node) == policy::State::up;
    if (node.idle == 0 && !node.trouble.empty() && !busy && node.told != Known::down) {
        tell(node, Known::down);
    }
}

// Two lines a node: made once a second, not whenever something happens.
void Daemon::look_at_stats(Instant now) {
    stats_looked_ = now;
    if (std::string lines = stats_lines(); lines != stats_shown_) {
        write_stats(std::move(lines));
    }
}

void Daemon::write_stats(std::string lines) {
    stats_shown_ = std::move(lines);
    if (auto written = replace_text(settings_.stats_path, stats_shown_); !written) {
        log_.limited_line("{}", written.error().text);
    }
}

std::string Daemon::stats_lines() const {
    std::string text = stats_.lines();
    for (const Node& node : nodes_) {
        const std::uint32_t id = node.dialer->peer().id;
        text += fmt::format("node{0}_state {1}\nnode{0}_idle {2}\n", id,
                            state_names[static_cast<std::size_t>(node.told)], node.idle);
    }
    return text;
}

Daemon::Node* Daemon::node_of(std::uint32_t id) {
    const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                    [&](const Node& node) { return node.dialer->peer().id == id; });
    return found != nodes_.end() ? &*found : nullptr;
}

}  // namespace mosrig
