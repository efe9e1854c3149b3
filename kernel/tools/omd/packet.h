// SPDX-License-Identifier: GPL-2.0-only
// Datagrams between the daemons (UDP 5428): what policies say to each other, authenticated.
//
//   magic u32, version u8, type u8, length u16, from u32, to u32, boot u64, counter u64, echo u64,
//   payload, HMAC-SHA256 of all before it
//
// All little-endian. `boot` names the sender's run, `counter` grows with each packet of it, `echo`
// is what the receiver wants to see from this run, see session.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "omd/key.h"
#include "omd/policy/message.h"
#include "omd/wire.h"

namespace mosrig {

inline constexpr std::uint16_t default_gossip_port = 5428;
inline constexpr std::uint8_t packet_version = 1;
inline constexpr std::size_t largest_packet = 1400;
inline constexpr std::size_t packet_header = 40;
inline constexpr std::size_t smallest_packet = packet_header + sizeof(Mac);

enum class PacketType : std::uint8_t {
    message = 1,
    challenge,  // "show me this in your packets": answers one with a wrong echo
    announce,   // to nobody in particular: "here is a node"
};

struct PacketHeader {
    PacketType type = PacketType::message;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint64_t boot = 0;
    std::uint64_t counter = 0;
    std::uint64_t echo = 0;
};

// Payload of a challenge.
struct Challenge {
    std::uint64_t token = 0;    // to be echoed
    std::uint64_t boot = 0;     // of the packet that it answers
    std::uint64_t counter = 0;  // of that packet
};

// Why bytes are no packet.
enum class PacketFault : std::uint8_t { none, garbage, version, key };

// A packet whose MAC is right. `payload` lies in the bytes that were given.
struct Opened {
    PacketFault fault = PacketFault::none;
    PacketHeader header;
    std::span<const std::uint8_t> payload;
};

// Checks form and MAC of a packet. Allocates nothing.
Opened open_packet(std::span<const std::uint8_t> bytes, const LinkKeys& keys);

Bytes seal_packet(const PacketHeader& header, std::span<const std::uint8_t> payload,
                  const LinkKeys& keys);

Bytes encode(const policy::Message& message);
// Nothing if a field is out of its range, or bytes are missing or left over.
std::optional<policy::Message> decode_message(std::span<const std::uint8_t> payload);

Bytes encode(const Challenge& challenge);
std::optional<Challenge> decode_challenge(std::span<const std::uint8_t> payload);

}  // namespace mosrig
