// SPDX-License-Identifier: GPL-2.0-only
#include "omd/gossip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <array>

#include "common/map.h"

namespace mosrig {
namespace {

constexpr int most_at_once = 64;  // datagrams read before other work has its turn
constexpr std::chrono::milliseconds challenge_pause{100};
constexpr std::size_t most_strangers = 256;  // that are challenged, or answered, within the pause

}  // namespace

std::uint32_t announced_id(std::uint32_t address) {
    return address & 0xffffU;
}

Gossip::Gossip(Cluster& cluster, Fd socket, Fd group, Events events)
    : cluster_(cluster),
      socket_(std::move(socket)),
      group_(std::move(group)),
      events_(std::move(events)),
      run_(OwnRun::make()),
      challenges_(most_strangers, challenge_pause),
      answers_(most_strangers, challenge_pause) {
    peers_changed();
}

Gossip::~Gossip() {
    for (const Fd* fd : {&socket_, &group_}) {
        if (fd->valid()) {
            cluster_.reactor.remove(fd->get());
        }
    }
}

Result<void> Gossip::start() {
    for (const Fd* fd : {&socket_, &group_}) {
        if (!fd->valid()) {
            continue;
        }
        const int number = fd->get();
        auto added = cluster_.reactor.add(number, EPOLLIN,
                                          [this, number](std::uint32_t) { on_readable(number); });
        if (!added) {
            return added;
        }
    }
    return {};
}

void Gossip::peers_changed() {
    by_address_.clear();
    std::unordered_map<std::uint32_t, State> fresh;
    for (const Peer& peer : cluster_.peers) {
        const auto old = states_.find(peer.id);
        const bool same = old != states_.end() && old->second.peer == &peer;
        fresh.emplace(peer.id,
                      same ? std::move(old->second) : State{&peer, Session(peer.id), {}, {}});
        by_address_[peer.endpoint.address] = peer.id;
    }
    states_ = std::move(fresh);
}

PacketHeader Gossip::header(PacketType type, std::uint32_t to, std::uint64_t echo) {
    return {type, cluster_.self, to, run_.boot, ++run_.counter, echo};
}

void Gossip::send_packet(Endpoint target, const PacketHeader& header,
                         std::span<const std::uint8_t> payload) {
    const Bytes bytes = seal_packet(header, payload, cluster_.keys);
    cluster_.stats.packets_out++;
    send_datagram(socket_.get(), target, bytes.data(), bytes.size());
}

void Gossip::send(std::uint32_t node, const policy::Message& message) {
    const auto found = states_.find(node);
    if (found == states_.end()) {
        return;
    }
    State& state = found->second;
    state.last = encode(message);
    send_packet({state.peer->endpoint.address, state.peer->gossip_port},
                header(PacketType::message, node, state.session.echo()), state.last);
}

void Gossip::announce() {
    if (group_.valid()) {
        send_packet({announce_group, default_gossip_port}, header(PacketType::announce, 0, 0), {});
    }
}

void Gossip::on_readable(int fd) {
    std::array<std::uint8_t, largest_packet + 1> buffer;
    for (int i = 0; i < most_at_once; i++) {
        sockaddr_in address{};
        socklen_t size = sizeof(address);
        const ssize_t got = ::recvfrom(fd, buffer.data(), buffer.size(), 0,
                                       reinterpret_cast<sockaddr*>(&address), &size);
        if (got < 0) {
            if (errno == EINTR || errno == ECONNREFUSED) {
                continue;  // the second: a peer's port was closed when we last wrote to it
            }
            return;
        }
        cluster_.stats.packets_in++;
        take(std::span(buffer).first(static_cast<std::size_t>(got)),
             {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)});
    }
}

// The order matters: until the MAC is right nothing is allocated, and a stranger's packet is not
// even looked at, unless strangers may become members.
void Gossip::take(std::span<const std::uint8_t> bytes, Endpoint source) {
    const auto known = by_address_.find(source.address);
    if (known == by_address_.end() && events_.announced == nullptr) {
        cluster_.stats.packets_stranger++;
        return;
    }
    const Opened packet = open_packet(bytes, cluster_.keys);
    if (!usable(packet, source)) {
        return;
    }
    if (known == by_address_.end()) {
        take_from_unknown(packet, source);
        return;
    }
    if (packet.header.from != known->second) {
        cluster_.stats.packets_garbage++;
        return;
    }
    take_from_peer(states_.at(known->second), packet);
}

bool Gossip::usable(const Opened& packet, Endpoint source) {
    Stats& stats = cluster_.stats;
    switch (packet.fault) {
        case PacketFault::garbage:
            stats.packets_garbage++;
            return false;
        case PacketFault::version:
            if (stats.packets_version++ == 0) {
                cluster_.log.stranger_line("{} sends datagrams of another version",
                                           format_address(source.address));
            }
            return false;
        case PacketFault::key:
            if (stats.packets_key++ == 0) {
                cluster_.log.stranger_line("{} sends datagrams of another key",
                                           format_address(source.address));
            }
            return false;
        case PacketFault::none:
            break;
    }
    const bool to_all = packet.header.type == PacketType::announce && packet.header.to == 0;
    if (!to_all && packet.header.to != cluster_.self) {
        stats.packets_garbage++;
        return false;
    }
    return true;
}

void Gossip::take_from_peer(State& state, const Opened& packet) {
    Stats& stats = cluster_.stats;
    if (packet.header.type == PacketType::announce) {
        return;  // we know
    }
    if (packet.header.type == PacketType::challenge) {
        const auto demand = decode_challenge(packet.payload);
        if (!demand) {
            stats.packets_garbage++;
        } else if (!state.session.on_challenge(*demand, run_)) {
            stats.packets_replay++;
        } else {
            answer_challenge(state);
        }
        return;
    }
    switch (state.session.take(packet.header, run_)) {
        case Session::Outcome::fresh:
            break;
        case Session::Outcome::replay:
            stats.packets_replay++;
            return;
        case Session::Outcome::stale:
            stats.packets_replay++;
            challenge(state, packet.header);
            return;
        case Session::Outcome::unknown:
            challenge(state, packet.header);
            return;
    }
    const auto message = decode_message(packet.payload);
    if (!message) {
        stats.packets_garbage++;
        return;
    }
    events_.message(state.peer->id, *message);
}

// With announcements one that is known here need not know this node: it started later, and was
// heard first. A message would not make this node known to it.
void Gossip::answer_challenge(State& state) {
    const Endpoint target{state.peer->endpoint.address, state.peer->gossip_port};
    if (events_.announced != nullptr) {
        send_packet(target, header(PacketType::announce, state.peer->id, state.session.echo()), {});
    }
    if (!state.last.empty()) {
        send_packet(target, header(PacketType::message, state.peer->id, state.session.echo()),
                    state.last);
    }
}

void Gossip::challenge(State& state, const PacketHeader& header) {
    const Instant now = Clock::now();
    if (now - state.challenged < challenge_pause) {
        return;
    }
    state.challenged = now;
    cluster_.stats.challenges++;
    send_packet({state.peer->endpoint.address, state.peer->gossip_port},
                this->header(PacketType::challenge, state.peer->id, 0),
                encode(state.session.challenge(header, run_)));
}

// Announcements are on, and the MAC is right. An announcement to all could be a recording: its
// author has to say it again with an echo. So could a challenge, and its sender's address is not
// proved: neither makes this node send more than now and then. Little is kept meanwhile.
void Gossip::take_from_unknown(const Opened& packet, Endpoint source) {
    const PacketHeader& header = packet.header;
    if (header.from != announced_id(source.address) || header.from == cluster_.self ||
        header.from == 0) {
        cluster_.stats.packets_stranger++;
        return;
    }
    Session session(header.from);
    const Run run{header.from, header.boot};
    if (header.type == PacketType::challenge) {
        const auto demand = decode_challenge(packet.payload);
        if (demand && session.on_challenge(*demand, run_) && answers_.take(run, Clock::now())) {
            send_packet(source, this->header(PacketType::announce, header.from, session.echo()),
                        {});
        }
        return;
    }
    if (header.type == PacketType::announce && header.to == cluster_.self &&
        session.take(header, run_) == Session::Outcome::fresh) {
        events_.announced(header.from, source);
        return;
    }
    if (challenges_.take(run, Clock::now())) {
        cluster_.stats.challenges++;
        send_packet(source, this->header(PacketType::challenge, header.from, 0),
                    encode(session.challenge(header, run_)));
    }
}

}  // namespace mosrig
