// SPDX-License-Identifier: GPL-2.0-only
#include "omd/packet.h"

#include <algorithm>
#include <cmath>

#include "openmosix.h"

namespace mosrig {
namespace {

constexpr std::uint32_t packet_magic = 0x50694d6f;  // "oMiP"
constexpr std::size_t most_loads = 24;
constexpr std::size_t most_rumours = 24;
constexpr double hundredth = 100;
constexpr double millionth = 1e6;
constexpr std::uint32_t most_runnable = 100'000'00;  // in hundredths
constexpr std::uint32_t oldest = 24 * 3600 * 1000;   // ms
constexpr std::uint32_t most_cpus = 65535;

enum Flag : std::uint8_t { urgent = 1, eviction = 2, done = 4, all_flags = 7 };

class Input {
  public:
    explicit Input(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

    template <class T>
    T take() {
        if (rest_.size() < sizeof(T)) {
            good_ = false;
            return T{};
        }
        T value = 0;
        for (std::size_t i = 0; i < sizeof(T); i++) {
            value = static_cast<T>(value | static_cast<T>(static_cast<T>(rest_[i]) << (8 * i)));
        }
        rest_ = rest_.subspan(sizeof(T));
        return value;
    }
    std::uint8_t u8() { return take<std::uint8_t>(); }
    std::uint16_t u16() { return take<std::uint16_t>(); }
    // A value above `largest` makes the whole input bad.
    std::uint32_t u32(std::uint32_t largest = ~0U) {
        const auto value = take<std::uint32_t>();
        require(value <= largest);
        return value;
    }
    std::uint64_t u64() { return take<std::uint64_t>(); }
    void require(bool condition) { good_ = good_ && condition; }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }

  private:
    std::span<const std::uint8_t> rest_;
    bool good_ = true;
};

std::uint32_t scaled(double value, double unit, std::uint32_t largest) {
    return static_cast<std::uint32_t>(
        std::clamp(std::round(value * unit), 0.0, static_cast<double>(largest)));
}

std::uint32_t pages32(policy::Pages pages) {
    return static_cast<std::uint32_t>(std::min<policy::Pages>(pages, ~0U));
}

void put_entry(Bytes& out, const policy::LoadEntry& entry) {
    const policy::NodeLoad& load = entry.load;
    put_u16(out, static_cast<std::uint16_t>(load.id));
    put_u16(out, static_cast<std::uint16_t>(std::min(load.cpus, most_cpus)));
    put_u32(out, load.speed);
    put_u32(out, scaled(load.runnable, hundredth, most_runnable));
    out.push_back(static_cast<std::uint8_t>(std::min(load.util, 100U)));
    out.push_back(load.flags);
    put_u32(out, pages32(load.mem));
    put_u32(out, pages32(load.rmem));
    put_u32(out, pages32(load.tmem));
    put_u64(out, entry.stamp.boot);
    put_u32(out, entry.stamp.sequence);
    put_u32(out, static_cast<std::uint32_t>(std::clamp<policy::Millis>(entry.age, 0, oldest)));
}

policy::LoadEntry take_entry(Input& in) {
    constexpr std::uint8_t known_flags =
        policy::flag_block | policy::flag_stay | policy::flag_lstay | policy::flag_quiet;
    policy::LoadEntry entry;
    policy::NodeLoad& load = entry.load;
    load.id = in.u16();
    load.cpus = in.u16();
    load.speed = in.u32();
    load.runnable = in.u32(most_runnable) / hundredth;
    load.util = in.u8();
    load.flags = in.u8();
    load.mem = in.u32();
    load.rmem = in.u32();
    load.tmem = in.u32();
    entry.stamp.boot = in.u64();
    entry.stamp.sequence = in.u32();
    entry.age = in.u32(oldest);
    in.require(load.id > 0 && load.cpus > 0 && load.speed > 0 && load.util <= 100 &&
               (load.flags & ~known_flags) == 0);
    return entry;
}

policy::Rumour take_rumour(Input& in) {
    policy::Rumour rumour;
    rumour.id = in.u16();
    const std::uint8_t state = in.u8();
    in.require(rumour.id > 0 && state >= static_cast<std::uint8_t>(policy::State::up) &&
               state <= static_cast<std::uint8_t>(policy::State::down));
    rumour.state = static_cast<policy::State>(state);
    rumour.stamp.boot = in.u64();
    rumour.stamp.sequence = in.u32();
    return rumour;
}

}  // namespace

Opened open_packet(std::span<const std::uint8_t> bytes, const LinkKeys& keys) {
    Opened opened;
    opened.fault = PacketFault::garbage;
    if (bytes.size() < smallest_packet || bytes.size() > largest_packet) {
        return opened;
    }
    Input in(bytes);
    const std::uint32_t magic = in.u32();
    const std::uint8_t version = in.u8();
    const std::uint8_t type = in.u8();
    if (magic != packet_magic) {
        return opened;
    }
    if (version != packet_version) {
        opened.fault = PacketFault::version;
        return opened;
    }
    const bool known = type >= 1 && type <= static_cast<std::uint8_t>(PacketType::announce);
    if (!known || in.u16() != bytes.size()) {
        return opened;
    }
    PacketHeader& header = opened.header;
    header.type = static_cast<PacketType>(type);
    header.from = in.u32();
    header.to = in.u32();
    header.boot = in.u64();
    header.counter = in.u64();
    header.echo = in.u64();
    const auto covered = bytes.first(bytes.size() - sizeof(Mac));
    Mac mac{};
    std::copy(bytes.end() - static_cast<std::ptrdiff_t>(sizeof(Mac)), bytes.end(), mac.begin());
    if (!keys.verify(Role::datagram, covered, mac)) {
        opened.fault = PacketFault::key;
        return opened;
    }
    opened.payload = covered.subspan(packet_header);
    opened.fault = PacketFault::none;
    return opened;
}

Bytes seal_packet(const PacketHeader& header, std::span<const std::uint8_t> payload,
                  const LinkKeys& keys) {
    Bytes out;
    out.reserve(smallest_packet + payload.size());
    put_u32(out, packet_magic);
    out.push_back(packet_version);
    out.push_back(static_cast<std::uint8_t>(header.type));
    put_u16(out, static_cast<std::uint16_t>(smallest_packet + payload.size()));
    put_u32(out, header.from);
    put_u32(out, header.to);
    put_u64(out, header.boot);
    put_u64(out, header.counter);
    put_u64(out, header.echo);
    put_bytes(out, payload);
    put_bytes(out, keys.sign(Role::datagram, out));
    return out;
}

Bytes encode(const policy::Message& message) {
    Bytes out;
    out.push_back(static_cast<std::uint8_t>(message.kind));
    out.push_back(static_cast<std::uint8_t>((message.urgent ? urgent : 0) |
                                            (message.eviction ? eviction : 0) |
                                            (message.done ? done : 0)));
    put_u32(out, message.number);
    put_u16(out, static_cast<std::uint16_t>(message.about));
    put_u32(out, scaled(message.demand, hundredth, most_runnable));
    put_u32(out, scaled(message.rate, millionth, ~0U));
    put_u32(out, pages32(message.pages));
    put_entry(out, message.own);
    const std::size_t loads = std::min(message.loads.size(), most_loads);
    const std::size_t rumours = std::min(message.rumours.size(), most_rumours);
    out.push_back(static_cast<std::uint8_t>(loads));
    out.push_back(static_cast<std::uint8_t>(rumours));
    for (std::size_t i = 0; i < loads; i++) {
        put_entry(out, message.loads[i]);
    }
    for (std::size_t i = 0; i < rumours; i++) {
        put_u16(out, static_cast<std::uint16_t>(message.rumours[i].id));
        out.push_back(static_cast<std::uint8_t>(message.rumours[i].state));
        put_u64(out, message.rumours[i].stamp.boot);
        put_u32(out, message.rumours[i].stamp.sequence);
    }
    return out;
}

std::optional<policy::Message> decode_message(std::span<const std::uint8_t> payload) {
    Input in(payload);
    policy::Message message;
    const std::uint8_t kind = in.u8();
    const std::uint8_t flags = in.u8();
    in.require(kind >= 1 && kind <= static_cast<std::uint8_t>(policy::Message::Kind::leave) &&
               (flags & ~all_flags) == 0);
    message.kind = static_cast<policy::Message::Kind>(kind);
    message.urgent = (flags & urgent) != 0;
    message.eviction = (flags & eviction) != 0;
    message.done = (flags & done) != 0;
    message.number = in.u32();
    message.about = in.u16();
    message.demand = in.u32(most_runnable) / hundredth;
    message.rate = in.u32() / millionth;
    message.pages = in.u32();
    message.own = take_entry(in);
    const std::size_t loads = in.u8();
    const std::size_t rumours = in.u8();
    in.require(loads <= most_loads && rumours <= most_rumours);
    for (std::size_t i = 0; i < loads && in.good(); i++) {
        message.loads.push_back(take_entry(in));
    }
    for (std::size_t i = 0; i < rumours && in.good(); i++) {
        message.rumours.push_back(take_rumour(in));
    }
    return in.at_end() ? std::optional(std::move(message)) : std::nullopt;
}

Bytes encode(const Challenge& challenge) {
    Bytes out;
    put_u64(out, challenge.token);
    put_u64(out, challenge.boot);
    put_u64(out, challenge.counter);
    return out;
}

std::optional<Challenge> decode_challenge(std::span<const std::uint8_t> payload) {
    Input in(payload);
    Challenge challenge;
    challenge.token = in.u64();
    challenge.boot = in.u64();
    challenge.counter = in.u64();
    return in.at_end() ? std::optional(challenge) : std::nullopt;
}

}  // namespace mosrig
