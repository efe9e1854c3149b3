// SPDX-License-Identifier: GPL-2.0-only
// Bytes of the handshake: little-endian numbers and frames of fixed lengths.
//
// A frame is an eight byte header (magic, version, type, payload length) and the payload. Every
// type has one length, so a reader knows after the header whether to go on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "openmosix.h"

namespace mosrig {

using Bytes = std::vector<std::uint8_t>;
using Nonce = std::array<std::uint8_t, 32>;
using Mac = std::array<std::uint8_t, 32>;

inline constexpr std::uint32_t wire_magic = 0x44694d6f;  // "oMiD"
inline constexpr std::uint8_t wire_version = 1;
inline constexpr std::size_t header_size = 8;
inline constexpr std::size_t features_size = 4 + 4 + 8 + 4 * OM_FEATURE_WORDS;

enum class FrameType : std::uint8_t { hello = 1, challenge = 2, proof = 3, accept = 4 };

struct Header {
    std::uint8_t version;
    FrameType type;
    std::uint16_t length;
};

// Payload bytes that a frame of this type has.
std::size_t payload_size(FrameType type);

// Nothing if the magic, the type or the length are wrong. The version is the caller's to check.
std::optional<Header> parse_header(std::span<const std::uint8_t> bytes);

void put_u16(Bytes& out, std::uint16_t value);
void put_u32(Bytes& out, std::uint32_t value);
void put_u64(Bytes& out, std::uint64_t value);
void put_bytes(Bytes& out, std::span<const std::uint8_t> bytes);
void put_header(Bytes& out, FrameType type);
void put_features(Bytes& out, const om_features& features);

// Takes values from the front of a payload whose length has been checked.
class Reader {
  public:
    explicit Reader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
    std::uint32_t u32();
    std::uint64_t u64();
    std::array<std::uint8_t, 32> block();
    om_features features();

  private:
    std::span<const std::uint8_t> rest_;
};

}  // namespace mosrig
