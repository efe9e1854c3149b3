// SPDX-License-Identifier: GPL-2.0-only
#include "omd/wire.h"

#include <algorithm>

namespace mosrig {
namespace {

template <class T>
void put_number(Bytes& out, T value) {
    for (std::size_t i = 0; i < sizeof(T); i++) {
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
}

template <class T>
T take_number(std::span<const std::uint8_t>& rest) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); i++) {
        value = static_cast<T>(value | static_cast<T>(rest[i]) << (8 * i));
    }
    rest = rest.subspan(sizeof(T));
    return value;
}

}  // namespace

std::size_t payload_size(FrameType type) {
    switch (type) {
        case FrameType::hello:
            return 4 + 4 + sizeof(Nonce);
        case FrameType::challenge:
            return sizeof(Nonce);
        case FrameType::proof:
        case FrameType::accept:
            return features_size + sizeof(Mac);
    }
    return 0;
}

std::optional<Header> parse_header(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != header_size) {
        return std::nullopt;
    }
    auto rest = bytes;
    const auto magic = take_number<std::uint32_t>(rest);
    const Header header{rest[0], static_cast<FrameType>(rest[1]),
                        static_cast<std::uint16_t>(rest[2] | rest[3] << 8)};
    const std::size_t expected = payload_size(header.type);
    if (magic != wire_magic || expected == 0 || header.length != expected) {
        return std::nullopt;
    }
    return header;
}

void put_u16(Bytes& out, std::uint16_t value) {
    put_number(out, value);
}
void put_u32(Bytes& out, std::uint32_t value) {
    put_number(out, value);
}
void put_u64(Bytes& out, std::uint64_t value) {
    put_number(out, value);
}

void put_bytes(Bytes& out, std::span<const std::uint8_t> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_header(Bytes& out, FrameType type) {
    put_u32(out, wire_magic);
    out.push_back(wire_version);
    out.push_back(static_cast<std::uint8_t>(type));
    put_u16(out, static_cast<std::uint16_t>(payload_size(type)));
}

void put_features(Bytes& out, const om_features& features) {
    put_u32(out, features.protocol);
    put_u32(out, features.xstate_size);
    put_u64(out, features.xfeatures);
    for (const std::uint32_t word : features.capability) {
        put_u32(out, word);
    }
}

std::uint32_t Reader::u32() {
    return take_number<std::uint32_t>(rest_);
}
std::uint64_t Reader::u64() {
    return take_number<std::uint64_t>(rest_);
}

std::array<std::uint8_t, 32> Reader::block() {
    std::array<std::uint8_t, 32> bytes{};
    std::copy_n(rest_.begin(), bytes.size(), bytes.begin());
    rest_ = rest_.subspan(bytes.size());
    return bytes;
}

om_features Reader::features() {
    om_features features{};
    features.protocol = u32();
    features.xstate_size = u32();
    features.xfeatures = u64();
    for (auto& word : features.capability) {
        word = u32();
    }
    return features;
}

}  // namespace mosrig
