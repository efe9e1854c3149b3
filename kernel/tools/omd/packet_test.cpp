// SPDX-License-Identifier: GPL-2.0-only
#include "omd/packet.h"

#include <gtest/gtest.h>
#include <random>

namespace mosrig {
namespace {

const LinkKeys& keys() {
    static const LinkKeys made(Bytes(32, 0x33));
    return made;
}

policy::LoadEntry entry(std::uint32_t id) {
    policy::LoadEntry made;
    made.load = {id, 4, 12345, 2.5, 63, policy::flag_block | policy::flag_quiet, 1000, 900, 2000};
    made.stamp = {0x1122334455667788U, 77};
    made.age = 1234;
    return made;
}

policy::Message full() {
    policy::Message message;
    message.kind = policy::Message::Kind::request;
    message.number = 0xdeadbeef;
    message.about = 65535;
    message.own = entry(1);
    for (std::uint32_t id = 2; id < 17; id++) {
        message.loads.push_back(entry(id));
    }
    for (std::uint32_t id = 1; id < 9; id++) {
        message.rumours.push_back({id, policy::State::down, {5, id}});
    }
    message.demand = 1.25;
    message.rate = 0.333333;
    message.pages = 4242;
    message.urgent = true;
    message.done = true;
    return message;
}

TEST(Packet, CarriesAMessageUnchanged) {
    const auto got = decode_message(encode(full()));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->kind, policy::Message::Kind::request);
    EXPECT_EQ(got->number, 0xdeadbeefU);
    EXPECT_EQ(got->about, 65535U);
    EXPECT_EQ(got->loads.size(), 15U);
    EXPECT_EQ(got->rumours.size(), 8U);
    EXPECT_EQ(got->rumours[7].stamp.sequence, 8U);
    EXPECT_EQ(got->rumours[0].state, policy::State::down);
    EXPECT_DOUBLE_EQ(got->demand, 1.25);
    EXPECT_NEAR(got->rate, 0.333333, 1e-6);
    EXPECT_EQ(got->pages, 4242U);
    EXPECT_TRUE(got->urgent);
    EXPECT_FALSE(got->eviction);
    EXPECT_TRUE(got->done);
    EXPECT_DOUBLE_EQ(got->own.load.runnable, 2.5);
    EXPECT_EQ(got->own.load.speed, 12345U);
    EXPECT_EQ(got->own.load.flags, policy::flag_block | policy::flag_quiet);
    EXPECT_EQ(got->loads[14].load.id, 16U);
    EXPECT_EQ(got->own.age, 1234);
    EXPECT_EQ(got->own.stamp.boot, 0x1122334455667788U);
}

TEST(Packet, TheLargestFitsIntoOneFrame) {
    EXPECT_LE(seal_packet({}, encode(full()), keys()).size(), largest_packet);
}

TEST(Packet, EachWrongBitIsNoticed) {
    const Bytes good = seal_packet({PacketType::message, 1, 2, 3, 4, 5}, encode(full()), keys());
    ASSERT_EQ(open_packet(good, keys()).fault, PacketFault::none);
    for (std::size_t bit = 0; bit < good.size() * 8; bit += 3) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_NE(open_packet(bad, keys()).fault, PacketFault::none) << bit;
    }
}

TEST(Packet, EachTruncationIsGarbage) {
    const Bytes good = seal_packet({PacketType::message, 1, 2, 3, 4, 5}, encode(full()), keys());
    for (std::size_t size = 0; size < good.size(); size++) {
        EXPECT_EQ(open_packet(std::span(good).first(size), keys()).fault, PacketFault::garbage);
    }
    EXPECT_EQ(open_packet(Bytes(largest_packet + 1), keys()).fault, PacketFault::garbage);
}

TEST(Packet, AnotherKeyAndAnotherVersionAreTold) {
    Bytes bytes = seal_packet({}, {}, LinkKeys(Bytes(32, 0x44)));
    EXPECT_EQ(open_packet(bytes, keys()).fault, PacketFault::key);
    bytes[4] = packet_version + 1;
    EXPECT_EQ(open_packet(bytes, keys()).fault, PacketFault::version);
}

TEST(Packet, ALinksKeyDoesNotSignDatagrams) {
    Bytes bytes = seal_packet({}, {}, keys());
    bytes.resize(bytes.size() - sizeof(Mac));
    const Mac mac = keys().sign(Role::home, bytes);
    put_bytes(bytes, mac);
    EXPECT_EQ(open_packet(bytes, keys()).fault, PacketFault::key);
}

TEST(Packet, FieldsOutOfRangeAreRefused) {
    const auto refused = [](auto change) {
        policy::Message message = full();
        change(message);
        return !decode_message(encode(message));
    };
    EXPECT_TRUE(refused([](auto& m) { m.kind = static_cast<policy::Message::Kind>(9); }));
    EXPECT_TRUE(refused([](auto& m) { m.kind = static_cast<policy::Message::Kind>(0); }));
    EXPECT_TRUE(refused([](auto& m) { m.own.load.id = 0; }));
    EXPECT_TRUE(refused([](auto& m) { m.own.load.cpus = 0; }));
    EXPECT_TRUE(refused([](auto& m) { m.loads[3].load.speed = 0; }));
    EXPECT_TRUE(refused([](auto& m) { m.loads[3].load.flags = 0x80; }));
    EXPECT_TRUE(refused([](auto& m) { m.rumours[0].state = policy::State::unknown; }));
    Bytes longer = encode(full());
    longer.push_back(0);
    EXPECT_FALSE(decode_message(longer));
}

TEST(Packet, RandomPayloadsNeverCrash) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 20000; round++) {
        Bytes bytes = round % 2 == 0 ? encode(full()) : Bytes(random() % 1200);
        for (int i = 0; i < 8 && !bytes.empty(); i++) {
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        }
        bytes.resize(bytes.empty() ? 0 : bytes.size() - random() % 3 % bytes.size());
        (void)decode_message(bytes);
        (void)decode_challenge(bytes);
        EXPECT_NE(open_packet(bytes, keys()).fault, PacketFault::none) << round;
    }
}

}  // namespace
}  // namespace mosrig
