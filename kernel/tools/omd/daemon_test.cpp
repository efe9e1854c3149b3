// SPDX-License-Identifier: GPL-2.0-only
// Daemons of a small cluster on the addresses 127.0.0.1, 127.0.0.2 ... of loopback, each with a
// kernel of its own in memory.
#include "omd/daemon.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <array>
#include <filesystem>
#include <optional>

#include "common/file.h"
#include "omd/fake_device.h"

namespace mosrig {
namespace {

constexpr std::uint32_t loopback = 0x7f000000;
constexpr std::chrono::seconds patience{60};

const LinkKeys& cluster_keys() {
    static const LinkKeys keys(Bytes(32, 0x33));
    return keys;
}

const LinkKeys& foreign_keys() {
    static const LinkKeys keys(Bytes(32, 0x44));
    return keys;
}

struct Node {
    Fd listener;
    Endpoint endpoint{};
    FakeDevice device;
    Reactor reactor;
    Log log{-1};
    std::vector<std::pair<std::uint32_t, Fd>> stubs;  // home node and the guest's end of the link
    std::optional<Daemon> daemon;

    explicit Node(std::uint32_t id) {
        listener = listen_on({loopback + id, 0}).value();
        endpoint = local_endpoint(listener.get());
    }

    Result<void> start(std::uint32_t id, std::vector<Peer> peers, const LinkKeys& keys,
                       const std::string& stats_path = "") {
        Daemon::Settings settings{id, endpoint.address, std::move(peers), {}, stats_path};
        if (!listener.valid()) {
            listener = listen_on(endpoint).value();
        }
        daemon.emplace(std::move(settings), device, keys, std::move(listener), reactor, log,
                       [this](std::uint32_t node, int fd) -> Result<pid_t> {
                           stubs.emplace_back(node, Fd(::dup(fd)));
                           return 1;
                       });
        return daemon->start();
    }
};

class Daemons : public testing::Test {
  protected:
    // Nodes 1 and 2 of one map; the second may have another key.
    void start(const LinkKeys& second_key = cluster_keys()) {
        ASSERT_TRUE(one_.start(1, {peer(2, two_)}, cluster_keys()));
        ASSERT_TRUE(two_.start(2, {peer(1, one_)}, second_key));
    }
    static Peer peer(std::uint32_t id, const Node& node) {
        return {id, "node" + std::to_string(id), node.endpoint};
    }
    // Runs all daemons until the condition holds; false at the deadline.
    template <class Condition>
    bool run_until(Condition condition) {
        for (const Instant end = Clock::now() + patience; Clock::now() < end;) {
            for (Node* node : {&one_, &two_}) {
                if (node->daemon) {
                    node->daemon->run_once(std::chrono::milliseconds(2));
                }
            }
            if (condition()) {
                return true;
            }
        }
        return false;
    }
    bool run_until_full() {
        return run_until([&] {
            return one_.device.pools[2].size() == 4 && two_.device.pools[1].size() == 4 &&
                   one_.stubs.size() == 4 && two_.stubs.size() == 4;
        });
    }
    // A connection of somebody's at node 1's address to node 2.
    Fd connect_to_two(std::uint32_t source = loopback + 1) {
        Fd fd = start_connect(source, two_.endpoint).value();
        ::fcntl(fd.get(), F_SETFL, 0);
        return fd;
    }

    Node one_{1};
    Node two_{2};
};

TEST_F(Daemons, FillBothPoolsAndHandTheLinksOverOnBothSides) {
    start();
    ASSERT_TRUE(run_until_full());
    EXPECT_EQ(one_.device.self, 1U);
    EXPECT_EQ(one_.device.nodes[2].state, static_cast<unsigned>(OM_NODE_UP));
    EXPECT_EQ(one_.device.nodes[2].features.xstate_size, 832U);
    EXPECT_EQ(one_.device.told, (std::vector<std::uint32_t>{OM_NODE_DOWN, OM_NODE_UP}));
    EXPECT_EQ(one_.daemon->stats().refused, 0U);
    EXPECT_EQ(one_.daemon->stats().stubs_started, 4U);
    // Each link joins a pool with a stub: what home's kernel says arrives in one of them.
    const Fd link = one_.device.take_link(2);
    ASSERT_EQ(::send(link.get(), "x", 1, 0), 1);
    unsigned heard = 0;
    for (const auto& [home, fd] : two_.stubs) {
        EXPECT_EQ(home, 1U);
        char byte = 0;
        heard += ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 1 ? 1 : 0;
    }
    EXPECT_EQ(heard, 1U);
}

TEST_F(Daemons, LinksAreSetUpForPromptnessAndForSilentPeers) {
    start();
    ASSERT_TRUE(run_until_full());
    for (const int fd : {one_.device.pools[2][0].get(), two_.stubs[0].second.get()}) {
        int value = 0;
        socklen_t size = sizeof(value);
        ::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size);
        EXPECT_EQ(value, 1);
        ::getsockopt(fd, 6 /* IPPROTO_TCP */, 1 /* TCP_NODELAY */, &value, &size);
        EXPECT_NE(value, 0);
        ::getsockopt(fd, 6, 18 /* TCP_USER_TIMEOUT */, &value, &size);
        EXPECT_GT(value, 0);
        EXPECT_LT(value, 15000);
        EXPECT_EQ(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    }
}

TEST_F(Daemons, RefillAPoolThatWasUsed) {
    start();
    ASSERT_TRUE(run_until_full());
    const Fd one = one_.device.take_link(2);
    const Fd two = one_.device.take_link(2);
    EXPECT_TRUE(
        run_until([&] { return one_.device.pools[2].size() == 4 && two_.stubs.size() == 6; }));
}

TEST_F(Daemons, AWrongKeyLinksNothing) {
    start(foreign_keys());
    ASSERT_TRUE(run_until([&] {
        return one_.daemon->stats().refused_key > 2 && two_.daemon->stats().refused_key > 2;
    }));
    EXPECT_TRUE(one_.device.pools[2].empty());
    EXPECT_TRUE(two_.device.pools[1].empty());
    EXPECT_TRUE(one_.stubs.empty());
    EXPECT_TRUE(two_.stubs.empty());
    EXPECT_EQ(one_.device.nodes[2].state, static_cast<unsigned>(OM_NODE_DOWN));
}

TEST_F(Daemons, AReplayedHandshakeIsRefusedAndCounted) {
    // A recorder in node 2's place: plays the guest itself and keeps what home says.
    ASSERT_TRUE(one_.start(1, {peer(2, two_)}, cluster_keys()));
    Bytes recorded;
    Handshake guest({.role = Role::guest,
                     .home = 1,
                     .guest = 2,
                     .nonce = make_nonce(),
                     .features = one_.device.own,
                     .keys = &cluster_keys()});
    Fd victim;
    ASSERT_TRUE(run_until([&] {
        std::uint32_t address = 0;
        if (!victim.valid()) {
            victim = accept_one(two_.listener.get(), address);
            return false;
        }
        std::array<std::uint8_t, 256> block{};
        const ssize_t got = ::recv(victim.get(), block.data(), guest.wanted(), MSG_DONTWAIT);
        if (got > 0) {
            put_bytes(recorded, std::span(block).first(static_cast<std::size_t>(got)));
            guest.feed(std::span(block).first(static_cast<std::size_t>(got)));
            const Bytes answer = guest.take_output();
            ::send(victim.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }
        return guest.done();
    }));
    one_.daemon.reset();
    two_.listener.reset();
    ASSERT_TRUE(two_.start(2, {peer(1, one_)}, cluster_keys()));
    const Fd attacker = connect_to_two();
    ASSERT_EQ(::send(attacker.get(), recorded.data(), recorded.size(), 0),
              static_cast<ssize_t>(recorded.size()));
    ASSERT_TRUE(run_until([&] { return two_.daemon->stats().refused == 1; }));
    EXPECT_EQ(two_.daemon->stats().refused_key, 1U);
    EXPECT_TRUE(two_.stubs.empty());
}

TEST_F(Daemons, ANonceThatMadeALinkIsKnownAsReplayed) {
    ASSERT_TRUE(two_.start(2, {peer(1, one_)}, cluster_keys()));
    Handshake::Local local{.role = Role::home,
                           .home = 1,
                           .guest = 2,
                           .nonce = make_nonce(),
                           .features = two_.device.own,
                           .keys = &cluster_keys()};
    for (int round = 0; round < 2; round++) {
        Connection home(connect_to_two(), Handshake(local), false, Instant::max());
        ::fcntl(home.fd(), F_SETFL, O_NONBLOCK);
        auto status = Connection::Status::under_way;
        ASSERT_TRUE(run_until([&] {
            status = home.advance();
            return status != Connection::Status::under_way;
        }));
        EXPECT_EQ(status == Connection::Status::authenticated, round == 0);
    }
    EXPECT_EQ(two_.daemon->stats().refused_replay, 1U);
    EXPECT_EQ(two_.stubs.size(), 1U);
}

TEST_F(Daemons, StrangersAreRefusedAtOnceAndSilentOnesAreBounded) {
    ASSERT_TRUE(two_.start(2, {peer(1, one_)}, cluster_keys()));
    const Fd stranger = connect_to_two(loopback + 9);
    ASSERT_TRUE(run_until([&] { return two_.daemon->stats().refused_stranger == 1; }));
    std::vector<Fd> silent;
    for (std::size_t i = 0; i < Acceptor::most_pending_per_peer + 3; i++) {
        silent.push_back(connect_to_two());
    }
    ASSERT_TRUE(run_until([&] { return two_.daemon->stats().refused_overflow == 3; }));
    ASSERT_TRUE(run_until(
        [&] { return two_.daemon->stats().refused_timeout == Acceptor::most_pending_per_peer; }));
    const Fd garbage = connect_to_two();
    ASSERT_EQ(::send(garbage.get(), "SSH-2.0-x\r\n", 11, 0), 11);
    ASSERT_TRUE(run_until([&] { return two_.daemon->stats().refused_malformed == 1; }));
    EXPECT_TRUE(two_.stubs.empty());
}

TEST_F(Daemons, ALostPeerIsDownAndUpAgainWhenItIsBack) {
    start();
    ASSERT_TRUE(run_until_full());
    two_.daemon.reset();
    // A stopped daemon alone changes nothing as long as its links live.
    one_.device.drop_links(2);
    ASSERT_TRUE(run_until([&] { return one_.device.nodes[2].state == OM_NODE_DOWN; }));
    ASSERT_TRUE(two_.start(2, {peer(1, one_)}, cluster_keys()));
    EXPECT_TRUE(run_until([&] {
        return one_.device.nodes[2].state == OM_NODE_UP && one_.device.pools[2].size() == 4;
    }));
}

TEST_F(Daemons, ARestartDisturbsNobody) {
    start();
    ASSERT_TRUE(run_until_full());
    one_.device.told.clear();
    one_.daemon.reset();
    ASSERT_TRUE(one_.start(1, {peer(2, two_)}, cluster_keys()));
    const Fd used = one_.device.take_link(2);
    ASSERT_TRUE(run_until([&] { return one_.device.pools[2].size() == 4; }));
    EXPECT_EQ(one_.device.told, std::vector<std::uint32_t>{OM_NODE_UP});
}

TEST_F(Daemons, WhoWasUnconfiguredRestsUntilToldAnew) {
    start();
    ASSERT_TRUE(run_until_full());
    ASSERT_TRUE(one_.device.set_self(0));
    ASSERT_TRUE(run_until([&] { return !one_.daemon->linked(2); }));
    const std::uint64_t connects = one_.daemon->stats().connects;
    for (const Instant end = Clock::now() + std::chrono::milliseconds(1500); Clock::now() < end;) {
        one_.daemon->run_once(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(one_.daemon->stats().connects, connects);
    EXPECT_EQ(one_.device.self, 0U) << "somebody wanted that";
    ASSERT_TRUE(one_.daemon->restore());
    one_.daemon->set_peers({peer(2, two_)});
    EXPECT_EQ(one_.device.self, 1U);
    EXPECT_TRUE(one_.device.nodes.contains(1));
    EXPECT_TRUE(run_until([&] {
        return one_.device.nodes[2].state == OM_NODE_UP && one_.device.pools[2].size() == 4;
    }));
}

TEST_F(Daemons, ANodeThatTheKernelForgotIsToldAgain) {
    start();
    ASSERT_TRUE(run_until_full());
    one_.device.drop_node(2);
    EXPECT_TRUE(run_until([&] {
        return one_.device.nodes.contains(2) && one_.device.nodes[2].state == OM_NODE_UP &&
               one_.device.pools[2].size() == 4;
    }));
}

TEST_F(Daemons, AKernelThatTakesNoLinkIsNotHammered) {
    one_.device.add_link_error = ENOSPC;
    start();
    ASSERT_TRUE(run_until([&] { return one_.daemon->stats().link_add_failures > 4; }));
    EXPECT_LT(one_.daemon->stats().connects, 20U);
}

TEST_F(Daemons, UnequalKernelsDoNotLink) {
    two_.device.own.protocol = OM_PROTOCOL + 1;
    start();
    ASSERT_TRUE(run_until([&] { return two_.daemon->stats().refused_protocol > 0; }));
    EXPECT_TRUE(one_.device.pools[2].empty());
    EXPECT_TRUE(two_.stubs.empty());
}

TEST_F(Daemons, CountersAreInAFile) {
    const std::string path = testing::TempDir() + "om_stats." + std::to_string(::getpid());
    ASSERT_TRUE(one_.start(1, {peer(2, two_)}, cluster_keys(), path));
    ASSERT_TRUE(two_.start(2, {peer(1, one_)}, cluster_keys()));
    ASSERT_TRUE(run_until([&] {
        const std::string text = read_text(path).value_or("");
        return text.find("authenticated_in 4\n") != std::string::npos &&
               text.find("node2_state up\nnode2_idle 4\n") != std::string::npos;
    }));
    std::filesystem::remove(path);
}

TEST_F(Daemons, ALoneNodeIsFine) {
    ASSERT_TRUE(one_.start(1, {}, cluster_keys()));
    const Instant begin = Clock::now();
    one_.daemon->run_once(std::chrono::milliseconds(50));
    EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(45));
}

}  // namespace
}  // namespace mosrig
