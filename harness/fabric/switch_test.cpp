// SPDX-License-Identifier: MIT
#include "harness/fabric/switch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

namespace mosrig::fabric {
namespace {

const std::string broadcast = "\xff\xff\xff\xff\xff\xff";
const std::string address_a("\x52\x54\0\0\0\x0a", 6);
const std::string address_b("\x52\x54\0\0\0\x0b", 6);
const std::string address_c("\x52\x54\0\0\0\x0c", 6);

std::string ethernet(const std::string& to, const std::string& from, const std::string& body) {
    return to + from + std::string("\x08\x00", 2) + body;
}

std::string with_length(const std::string& frame) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<char>((frame.size() >> shift) & 0xff));
    }
    return bytes + frame;
}

TEST(FrameReader, CutsAStreamGivenByteByByte) {
    const std::string bytes = with_length("first") + with_length("") + with_length("third");
    FrameReader reader;
    std::vector<std::string> frames;
    std::string_view frame;
    for (const char byte : bytes) {
        reader.add({&byte, 1});
        while (reader.next(frame)) {
            frames.emplace_back(frame);
        }
    }
    EXPECT_EQ(frames, (std::vector<std::string>{"first", "", "third"}));
}

TEST(FrameReader, ImpossibleLengthBreaksIt) {
    FrameReader reader;
    reader.add("\xff\xff\xff\xff....");
    std::string_view frame;
    EXPECT_FALSE(reader.next(frame));
    EXPECT_TRUE(reader.broken());
}

TEST(FrameQueue, DropsTheNewcomerWhenFull) {
    FrameQueue queue(20);
    EXPECT_TRUE(queue.push("0123456789"));
    EXPECT_FALSE(queue.push("0123456789"));
    EXPECT_EQ(queue.bytes(), 14U);
}

TEST(Forwarding, FloodsUntilItKnowsThenGoesStraight) {
    Forwarding table;
    for (const PortId port : {1, 2, 3}) {
        table.add_port(port);
    }
    EXPECT_EQ(table.route(1, ethernet(broadcast, address_a, "")), (std::vector<PortId>{2, 3}));
    EXPECT_EQ(table.route(2, ethernet(address_a, address_b, "")), (std::vector<PortId>{1}));
    EXPECT_EQ(table.route(1, ethernet(address_b, address_a, "")), (std::vector<PortId>{2}));
    EXPECT_EQ(table.route(1, ethernet(address_c, address_a, "")), (std::vector<PortId>{2, 3}));
}

TEST(Forwarding, NeverBackWhereItCameFrom) {
    Forwarding table;
    table.add_port(1);
    table.add_port(2);
    table.route(1, ethernet(broadcast, address_a, ""));
    EXPECT_TRUE(table.route(1, ethernet(address_a, address_b, "")).empty());
    EXPECT_TRUE(table.route(1, "short").empty());
}

TEST(Forwarding, ForgetsAddressesOfAClosedPort) {
    Forwarding table;
    table.add_port(1);
    table.add_port(2);
    table.add_port(3);
    table.route(2, ethernet(broadcast, address_b, ""));
    table.remove_port(2);
    EXPECT_EQ(table.route(1, ethernet(address_b, address_a, "")), (std::vector<PortId>{3}));
}

class SwitchTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::array<char, 32> name{"/tmp/mosrig-switch-XXXXXX"};
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name.data();
        auto listener = listen_at(folder_ / "fabric.sock");
        ASSERT_TRUE(listener);
        auto control = listen_for_control(control_path(folder_ / "fabric.sock"));
        ASSERT_TRUE(control);
        auto created = Switch::create(std::move(*listener), std::move(*control));
        ASSERT_TRUE(created);
        switch_ = std::move(*created);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    Fd plug() {
        Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = folder_ / "fabric.sock";
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
                  0);
        turns();
        return fd;
    }

    void turns() {
        for (int turn = 0; turn < 4; ++turn) {
            ASSERT_TRUE(switch_->turn(0));
        }
    }

    void send(const Fd& fd, const std::string& frame) {
        const std::string bytes = with_length(frame);
        ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()),
                  static_cast<ssize_t>(bytes.size()));
        turns();
    }

    // The switch turns in a thread of its own while it is asked.
    Result<SwitchState> ask(const std::optional<Impairment>& order) {
        std::atomic<bool> answered = false;
        std::thread server([&] {
            while (!answered) {
                EXPECT_TRUE(switch_->turn(1));
            }
        });
        Result<SwitchState> state = ask_switch(control_path(folder_ / "fabric.sock"), order,
                                               Deadline("the switch", Millis(10'000)));
        answered = true;
        server.join();
        return state;
    }

    static std::string received(const Fd& fd) {
        std::string bytes(1 << 16, '\0');
        const ssize_t got = ::recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }

    std::filesystem::path folder_;
    std::unique_ptr<Switch> switch_;
};

TEST_F(SwitchTest, SocketIsForItsOwnerAlone) {
    for (const char* const name : {"fabric.sock", "fabric.control"}) {
        struct stat status = {};
        ASSERT_EQ(::stat((folder_ / name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U);
    }
}

TEST_F(SwitchTest, CarriesFramesBetweenPorts) {
    const Fd a = plug();
    const Fd b = plug();
    const Fd c = plug();
    EXPECT_EQ(switch_->port_count(), 3U);
    const std::string hello = ethernet(broadcast, address_a, "hello");
    send(a, hello);
    EXPECT_EQ(received(b), with_length(hello));
    EXPECT_EQ(received(c), with_length(hello));
    const std::string answer = ethernet(address_a, address_b, "answer");
    send(b, answer);
    EXPECT_EQ(received(a), with_length(answer));
    EXPECT_EQ(received(c), "");
}

TEST_F(SwitchTest, AReaderThatStopsCostsFramesNotTheOthers) {
    const Fd a = plug();
    const Fd stopped = plug();
    const Fd c = plug();
    const std::string big = ethernet(broadcast, address_a, std::string(60'000, 'x'));
    for (int count = 0; count < 200; ++count) {
        send(a, big);
        std::string got;
        for (std::string piece; !(piece = received(c)).empty();) {
            got += piece;
        }
        ASSERT_EQ(got.size(), with_length(big).size());
    }
    EXPECT_GT(switch_->counters().dropped, 0U);
}

TEST_F(SwitchTest, ToldToLoseAllItLosesAllAndSaysSo) {
    const Fd a = plug();
    const Fd b = plug();
    ASSERT_TRUE(ask(Impairment{Millis(0), 1000}));
    send(a, ethernet(broadcast, address_a, "one"));
    EXPECT_EQ(received(b), "");
    const Result<SwitchState> state = ask(Impairment{});
    ASSERT_TRUE(state);
    EXPECT_EQ(state->counters.lost, 1U);
    EXPECT_EQ(state->impairment.loss_permille, 0);
    const std::string two = ethernet(broadcast, address_a, "two");
    send(a, two);
    EXPECT_EQ(received(b), with_length(two));
}

TEST_F(SwitchTest, ToldToDelayItKeepsFramesForThatLong) {
    const Fd a = plug();
    const Fd b = plug();
    const Millis delay(200);
    ASSERT_TRUE(ask(Impairment{delay, 0}));
    const std::string late = ethernet(broadcast, address_a, "late");
    const Clock::time_point sent = Clock::now();
    send(a, late);
    std::string got;
    while (got.empty() && Clock::now() < sent + Millis(10'000)) {
        ASSERT_TRUE(switch_->turn(1));
        got = received(b);
    }
    EXPECT_EQ(got, with_length(late));
    EXPECT_GE(Clock::now() - sent, delay);
}

TEST_F(SwitchTest, WhatIsOnItsWayToAPortThatGoesIsForgotten) {
    const Fd a = plug();
    Fd b = plug();
    ASSERT_TRUE(ask(Impairment{Millis(50), 0}));
    send(a, ethernet(broadcast, address_a, "late"));
    b.reset();
    const Clock::time_point end = Clock::now() + Millis(100);
    while (Clock::now() < end) {
        ASSERT_TRUE(switch_->turn(1));
    }
    EXPECT_EQ(switch_->port_count(), 1U);
}

TEST_F(SwitchTest, AnImpossibleImpairmentIsRefusedAndChangesNothing) {
    EXPECT_FALSE(ask(Impairment{Millis(0), 1001}));
    EXPECT_FALSE(ask(Impairment{Millis(-1), 0}));
    const Result<SwitchState> state = ask(std::nullopt);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->impairment.loss_permille, 0);
    EXPECT_EQ(state->impairment.delay, Millis(0));
}

TEST(Network, NoSwitchIsAnErrorWithARemedy) {
    const auto state = ask_switch("/nonexistent/fabric.control", std::nullopt,
                                  Deadline("the switch", Millis(1000)));
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, ErrorKind::infra);
}

TEST(DelayLine, KeepsTheOrderAndItsBound) {
    const Clock::time_point now = Clock::now();
    DelayLine line(8);
    EXPECT_EQ(line.timeout_ms(now), -1);
    EXPECT_TRUE(line.push(now + Millis(20), 1, "four"));
    EXPECT_TRUE(line.push(now + Millis(10), 2, "more"));
    EXPECT_FALSE(line.push(now, 3, "x"));
    EXPECT_EQ(line.timeout_ms(now), 20);
    EXPECT_FALSE(line.pop(now + Millis(10)));
    EXPECT_EQ(line.pop(now + Millis(20))->bytes, "four");
    EXPECT_EQ(line.pop(now + Millis(20))->bytes, "more");
    EXPECT_TRUE(line.push(now, 3, "12345678"));
}

TEST(Loss, LosesAboutWhatItIsTold) {
    Loss loss;
    int hits = 0;
    for (int count = 0; count < 10'000; ++count) {
        hits += loss.hits(100) ? 1 : 0;
    }
    EXPECT_NEAR(hits, 1000, 150);
    EXPECT_FALSE(loss.hits(0));
    EXPECT_TRUE(loss.hits(1000));
}

TEST_F(SwitchTest, APortThatGoesIsForgotten) {
    const Fd a = plug();
    Fd b = plug();
    send(b, ethernet(broadcast, address_b, ""));
    b.reset();
    turns();
    EXPECT_EQ(switch_->port_count(), 1U);
    send(a, ethernet(address_b, address_a, ""));
    EXPECT_EQ(switch_->port_count(), 1U);
}

TEST_F(SwitchTest, NonsenseClosesThePort) {
    const Fd a = plug();
    ASSERT_EQ(::write(a.get(), "\xff\xff\xff\xff", 4), 4);
    turns();
    EXPECT_EQ(switch_->port_count(), 0U);
}

}  // namespace
}  // namespace mosrig::fabric
