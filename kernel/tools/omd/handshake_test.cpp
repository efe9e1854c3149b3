// SPDX-License-Identifier: GPL-2.0-only
#include "omd/handshake.h"

#include <gtest/gtest.h>
#include <algorithm>

namespace mosrig {
namespace {

const LinkKeys& good_keys() {
    static const LinkKeys keys(Bytes(32, 0x11));
    return keys;
}

const LinkKeys& other_keys() {
    static const LinkKeys keys(Bytes(32, 0x22));
    return keys;
}

om_features features(std::uint32_t size, std::uint32_t protocol = OM_PROTOCOL) {
    om_features result{};
    result.protocol = protocol;
    result.xstate_size = size;
    result.xfeatures = 0x0102030405060708;
    result.capability[OM_FEATURE_WORDS - 1] = 0xdeadbeef;
    return result;
}

Handshake::Local home_side() {
    return {.role = Role::home,
            .home = 1,
            .guest = 2,
            .nonce = make_nonce(),
            .features = features(832),
            .keys = &good_keys()};
}

Handshake::Local guest_side() {
    return {.role = Role::guest,
            .home = 1,
            .guest = 2,
            .nonce = make_nonce(),
            .features = features(2440),
            .keys = &good_keys()};
}

// Everything each side said.
struct Transcript {
    Bytes by_home;
    Bytes by_guest;
};

// Carries bytes to and fro until both are silent. A side gets what it wants and no more.
Transcript converse(Handshake& home, Handshake& guest) {
    Transcript said;
    Bytes to_guest;
    Bytes to_home;
    const auto carry = [](Bytes& bytes, Handshake& to) {
        const std::size_t take = std::min(bytes.size(), to.wanted());
        to.feed(std::span(bytes).first(take));
        bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(take));
        return take > 0;
    };
    for (bool moved = true; moved;) {
        const Bytes from_home = home.take_output();
        const Bytes from_guest = guest.take_output();
        put_bytes(said.by_home, from_home);
        put_bytes(said.by_guest, from_guest);
        put_bytes(to_guest, from_home);
        put_bytes(to_home, from_guest);
        const bool one = carry(to_guest, guest);
        const bool two = carry(to_home, home);
        moved = one || two || !from_home.empty() || !from_guest.empty();
    }
    return said;
}

Refusal refusal_by_guest(const Bytes& bytes, Handshake::Local local = guest_side()) {
    Handshake guest(std::move(local));
    guest.feed(bytes);
    EXPECT_FALSE(guest.done());
    return guest.refusal();
}

TEST(Handshake, BothSidesAgreeAndLearnTheFeatures) {
    Handshake home(home_side());
    Handshake guest(guest_side());
    converse(home, guest);
    EXPECT_TRUE(home.done());
    EXPECT_TRUE(guest.done());
    EXPECT_EQ(home.wanted(), 0U);
    EXPECT_EQ(guest.wanted(), 0U);
    EXPECT_EQ(home.peer_features().xstate_size, 2440U);
    EXPECT_EQ(guest.peer_features().xstate_size, 832U);
    EXPECT_EQ(home.peer_features().xfeatures, 0x0102030405060708U);
    EXPECT_EQ(home.peer_features().capability[OM_FEATURE_WORDS - 1], 0xdeadbeefU);
}

TEST(Handshake, NeverWantsTheBytesOfTheKernelBehindIt) {
    const auto local = home_side();
    Handshake home(local);
    Handshake guest(guest_side());
    const Transcript said = converse(home, guest);
    Handshake again(local);  // with the same nonce, so that what was said to home is true for it
    std::size_t total = 0;
    for (std::size_t want = again.wanted(); want > 0; want = again.wanted()) {
        total += want;
        ASSERT_LE(total, said.by_guest.size());
        again.feed(std::span(said.by_guest).subspan(total - want, want));
    }
    EXPECT_TRUE(again.done());
    EXPECT_EQ(total, said.by_guest.size());
}

TEST(Handshake, WorksByteByByte) {
    Handshake home(home_side());
    Handshake guest(guest_side());
    for (int i = 0; i < 1000 && !(home.done() && guest.done()); i++) {
        for (const std::uint8_t byte : home.take_output()) {
            guest.feed(std::span(&byte, 1));
        }
        for (const std::uint8_t byte : guest.take_output()) {
            home.feed(std::span(&byte, 1));
        }
    }
    EXPECT_TRUE(home.done());
    EXPECT_TRUE(guest.done());
}

TEST(Handshake, AWrongKeyOfHomeIsRefusedByTheGuestWhoTellsNothing) {
    auto local = home_side();
    local.keys = &other_keys();
    Handshake home(local);
    Handshake guest(guest_side());
    const Transcript said = converse(home, guest);
    EXPECT_EQ(guest.refusal(), Refusal::bad_mac);
    EXPECT_FALSE(home.done());
    EXPECT_EQ(said.by_guest.size(), header_size + payload_size(FrameType::challenge));
}

TEST(Handshake, AGuestThatCannotProveItselfIsRefusedByHome) {
    Handshake home(home_side());
    Bytes forged;
    put_header(forged, FrameType::challenge);
    put_bytes(forged, Nonce{});
    put_header(forged, FrameType::accept);
    put_features(forged, features(832));
    put_bytes(forged, Mac{});
    home.feed(forged);
    EXPECT_EQ(home.refusal(), Refusal::bad_mac);
}

TEST(Handshake, AReplayedHomeFailsOnTheFreshNonce) {
    Handshake home(home_side());
    Handshake guest(guest_side());
    const Transcript said = converse(home, guest);
    EXPECT_EQ(refusal_by_guest(said.by_home), Refusal::bad_mac);
}

TEST(Handshake, AReplayedHomeIsNamedAsSuchIfItsNonceIsKnown) {
    Handshake home(home_side());
    Handshake guest(guest_side());
    const Transcript said = converse(home, guest);
    auto local = guest_side();
    local.seen = [known = guest.home_nonce()](const Nonce& nonce) { return nonce == known; };
    EXPECT_EQ(refusal_by_guest(said.by_home, local), Refusal::replayed);
}

TEST(Handshake, AReplayedGuestFailsOnTheFreshNonce) {
    Handshake home(home_side());
    Handshake guest(guest_side());
    const Transcript said = converse(home, guest);
    Handshake victim(home_side());
    victim.feed(said.by_guest);
    EXPECT_EQ(victim.refusal(), Refusal::bad_mac);
}

// The attacker knows no key and lets home answer its own questions.
TEST(Handshake, AReflectedProofIsNoAcceptance) {
    Handshake home(home_side());
    Bytes challenge;
    put_header(challenge, FrameType::challenge);
    put_bytes(challenge, make_nonce());
    home.take_output();
    home.feed(challenge);
    Bytes proof = home.take_output();
    ASSERT_EQ(proof.size(), header_size + payload_size(FrameType::proof));
    Handshake straight = home;
    straight.feed(proof);
    EXPECT_EQ(straight.refusal(), Refusal::malformed);
    proof[5] = static_cast<std::uint8_t>(FrameType::accept);
    home.feed(proof);
    EXPECT_EQ(home.refusal(), Refusal::bad_mac);
}

// Both nodes are home and guest at once: what 2 says as a guest of 1 must not serve as what 2
// says as a home to 1.
TEST(Handshake, CrossedDirectionsDoNotMix) {
    Handshake one(home_side());
    auto crossed = home_side();
    crossed.home = 2;
    crossed.guest = 1;
    Handshake two(crossed);
    two.feed(one.take_output());
    EXPECT_EQ(two.refusal(), Refusal::malformed);
}

TEST(Handshake, IdsMustFitTheMap) {
    for (const auto& [home_id, guest_id] : {std::pair{3U, 2U}, {1U, 3U}, {2U, 1U}}) {
        auto local = home_side();
        local.home = home_id;
        local.guest = guest_id;
        Handshake home(local);
        EXPECT_EQ(refusal_by_guest(home.take_output()), Refusal::wrong_node);
    }
}

TEST(Handshake, UnequalProtocolsDoNotLinkAndBothKnowWhy) {
    auto local = guest_side();
    local.features.protocol = OM_PROTOCOL + 1;
    Handshake home(home_side());
    Handshake guest(local);
    converse(home, guest);
    EXPECT_EQ(home.refusal(), Refusal::protocol);
    EXPECT_EQ(guest.refusal(), Refusal::protocol);
    EXPECT_FALSE(home.done() || guest.done());
}

TEST(Handshake, ATruncatedOneIsNeverDone) {
    Handshake home(home_side());
    Handshake guest(guest_side());
    const Transcript said = converse(home, guest);
    for (std::size_t length = 0; length < said.by_home.size(); length++) {
        Handshake fresh(guest_side());
        fresh.feed(std::span(said.by_home).first(length));
        EXPECT_FALSE(fresh.done()) << length;
    }
}

TEST(Handshake, AnyChangedBitOfAnyMessageIsRefused) {
    for (std::size_t place = 0; place < 500; place++) {
        Handshake home(home_side());
        Handshake guest(guest_side());
        std::size_t carried = 0;
        const auto carry = [&](Bytes bytes, Handshake& to) {
            if (place >= carried && place < carried + bytes.size()) {
                bytes[place - carried] ^= 0x40;
            }
            carried += bytes.size();
            to.feed(bytes);
        };
        for (int turn = 0; turn < 3; turn++) {
            carry(home.take_output(), guest);
            carry(guest.take_output(), home);
        }
        const bool all_sent = carried > place;
        EXPECT_FALSE(home.done() && all_sent) << place;
    }
}

TEST(Handshake, GarbageIsRefusedAtItsHeader) {
    Bytes noise;
    for (int i = 0; i < 4096; i++) {
        noise.push_back(static_cast<std::uint8_t>(i * 73 + 5));
    }
    EXPECT_EQ(refusal_by_guest(noise), Refusal::malformed);
    EXPECT_EQ(refusal_by_guest(Bytes(8, 0)), Refusal::malformed);
    const std::string http = "GET / HTTP/1.1\r\n\r\n";
    EXPECT_EQ(refusal_by_guest(Bytes(http.begin(), http.end())), Refusal::malformed);
}

TEST(Handshake, LengthsAreCheckedAgainstTheType) {
    Bytes frame;
    put_header(frame, FrameType::hello);
    frame[6] = 0xff;
    frame[7] = 0xff;
    EXPECT_EQ(refusal_by_guest(frame), Refusal::malformed);
    frame[5] = 9;
    EXPECT_EQ(refusal_by_guest(frame), Refusal::malformed);
}

TEST(Handshake, MessagesOutOfTurnAreRefused) {
    Bytes frame;
    put_header(frame, FrameType::proof);
    frame.resize(frame.size() + payload_size(FrameType::proof));
    EXPECT_EQ(refusal_by_guest(frame), Refusal::malformed);
}

TEST(Handshake, AnotherVersionIsNamed) {
    Handshake home(home_side());
    Bytes hello = home.take_output();
    hello[4] = wire_version + 1;
    EXPECT_EQ(refusal_by_guest(hello), Refusal::version);
}

}  // namespace
}  // namespace mosrig
