// SPDX-License-Identifier: GPL-2.0-only
// Announcements, from addresses that anybody can pretend to have.
#include "omd/gossip.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <vector>

namespace mosrig {
namespace {

class Announcements : public testing::Test {
  protected:
    static constexpr std::uint32_t first_address = 0x7f000000;  // 127.0.0.0
    static constexpr std::uint32_t self_id = 2;

    // One that knows the key, at an address whose last two bytes are its id.
    struct Stranger {
        std::uint32_t id;
        Fd fd;
        explicit Stranger(std::uint32_t number)
            : id(number), fd(bind_datagrams({first_address + number, 0}).value()) {}
    };

    Announcements() : socket_(bind_datagrams({first_address + self_id, 0}).value()) {
        endpoint_ = local_endpoint(socket_.get());
        gossip_.emplace(cluster_, std::move(socket_), Fd(),
                        Gossip::Events{[](std::uint32_t, const policy::Message&) {},
                                       [](std::uint32_t, Endpoint) {}});
        EXPECT_TRUE(gossip_->start());
    }
    void say(const Stranger& from, const PacketHeader& header, const Bytes& payload = {}) {
        const Bytes bytes = seal_packet(header, payload, keys_);
        ASSERT_TRUE(send_datagram(from.fd.get(), endpoint_, bytes.data(), bytes.size()));
    }
    void announce(const Stranger& from, std::uint64_t boot, std::uint64_t counter) {
        say(from, {PacketType::announce, from.id, 0, boot, counter, 0});
    }
    // Has the node read all that was sent, and what it has answered to this one since the last
    // time.
    std::vector<PacketHeader> heard(const Stranger& by) {
        for (int turn = 0; turn < 20; turn++) {
            reactor_.run_once(std::chrono::milliseconds(1));
        }
        std::vector<PacketHeader> headers;
        for (;;) {
            Bytes bytes(largest_packet);
            const ssize_t got = ::recv(by.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (got <= 0) {
                return headers;
            }
            const auto size = static_cast<std::size_t>(got);
            headers.push_back(open_packet(std::span(bytes).first(size), keys_).header);
        }
    }

    LinkKeys keys_{Bytes(32, 0x33)};
    Reactor reactor_;
    Log log_{-1};
    Stats stats_;
    Cluster cluster_{self_id, first_address + self_id, {}, "two", keys_, {}, reactor_, log_,
                     stats_};
    Fd socket_;
    Endpoint endpoint_{};
    std::optional<Gossip> gossip_;
};

TEST_F(Announcements, RecordedOnesTakeNoTurnOfANodeThatIsThere) {
    const Stranger old(8);
    const Stranger there(9);
    for (std::uint64_t i = 1; i <= 30; i++) {
        announce(old, 5, i);
        announce(there, 5, i);  // a recording of an earlier run of the other one
    }
    announce(there, 7, 1);
    const auto challenges = heard(there);
    ASSERT_FALSE(challenges.empty());
    EXPECT_EQ(challenges.back().type, PacketType::challenge);
    EXPECT_LE(challenges.size(), 4U) << "each run gets one, now and then";
    EXPECT_EQ(challenges.size() + heard(old).size(), stats_.challenges);
    EXPECT_GE(challenges.size(), 2U) << "one for each of the two runs";
}

TEST_F(Announcements, ARecordedChallengeIsAnsweredNowAndThenOnly) {
    const Stranger there(9);
    announce(there, 5, 1);
    const auto challenges = heard(there);
    ASSERT_EQ(challenges.size(), 1U);
    // Now the node's run and the number of one of its packets are known.
    const Challenge demand{77, challenges[0].boot, challenges[0].counter};
    for (std::uint64_t i = 2; i <= 31; i++) {
        say(there, {PacketType::challenge, there.id, self_id, 5, i, 0}, encode(demand));
    }
    const auto answers = heard(there);
    ASSERT_FALSE(answers.empty());
    EXPECT_EQ(answers[0].type, PacketType::announce);
    EXPECT_EQ(answers[0].echo, 77U);
    EXPECT_LE(answers.size(), 3U);
}

}  // namespace
}  // namespace mosrig
