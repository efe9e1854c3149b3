// SPDX-License-Identifier: GPL-2.0-only
// Daemons with balancers on loopback: real datagrams, machines in memory.
#include "omd/balancer.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "omd/balanced_nodes.h"
#include "omd/service.h"

namespace mosrig {
namespace {

TEST_F(Balancers, ThreeLoopsOnOneNodeEndOnePerNodeAndStay) {
    one_.machine.tasks = {{101}, {102}, {103}};
    start_all();
    ASSERT_TRUE(run_until([&] {
        return one_.machine.tasks.size() == 1 && two_.machine.tasks.size() == 1 &&
               three_.machine.tasks.size() == 1;
    }));
    EXPECT_EQ(one_.machine.moves, 2U);
    run_for(std::chrono::milliseconds(3000));  // thirty periods
    EXPECT_EQ(one_.machine.moves + two_.machine.moves + three_.machine.moves, 2U);
    // The kernel of each has heard of all three.
    EXPECT_EQ(one_.device.loads.size(), 3U);
    EXPECT_EQ(one_.device.loads[2].cpus, 1U);
    EXPECT_EQ(one_.device.loads[2].load, 100U);
}

TEST_F(Balancers, ALockedProcessAndOneOnAQuietNodeStay) {
    one_.machine.tasks = {{101, 0, true}, {102, 0, true}};
    two_.machine.load.flags = policy::flag_stay;
    two_.machine.tasks = {{201}, {202}};
    start_all();
    ASSERT_TRUE(run_until_met());
    run_for(std::chrono::milliseconds(1500));
    EXPECT_EQ(one_.machine.moves + two_.machine.moves, 0U);
    EXPECT_EQ(one_.agent().why(101, 0).first.reason, policy::Reason::locked);
    EXPECT_EQ(two_.agent().why(201, 0).first.reason, policy::Reason::stay);
}

TEST_F(Balancers, ANodeThatIsTooBusyForHandshakesIsNotDown) {
    start_all();
    ASSERT_TRUE(run_until_met());
    ASSERT_TRUE(run_until([&] { return one_.daemon->linked(2); }));
    // It takes no more connections of node 1's until these have given up.
    std::vector<Fd> pending;
    for (std::size_t i = 0; i < Acceptor::most_pending_per_peer; i++) {
        pending.push_back(start_connect(loopback + 1, two_.links).value());
    }
    run_for(std::chrono::milliseconds(200));
    one_.device.drop_links(2);
    const auto failures = one_.daemon->stats().connect_failures;
    ASSERT_TRUE(run_until([&] { return one_.daemon->stats().connect_failures > failures; }));
    EXPECT_TRUE(one_.daemon->linked(2));
    EXPECT_TRUE(one_.device.pools[2].empty());
    // Nobody listens any more: that is another matter.
    two_.daemon.reset();
    EXPECT_TRUE(run_until([&] { return !one_.daemon->linked(2); }));
}

TEST_F(Balancers, AKernelThatDoesNotBalanceKeepsItsLinks) {
    one_.machine.balances = false;
    one_.device.set_load_error = ENOTTY;
    one_.machine.tasks = {{101}, {102}, {103}};
    start_all();
    ASSERT_TRUE(run_until([&] { return one_.device.pools[2].size() == 4; }));
    run_for(std::chrono::milliseconds(1000));
    EXPECT_EQ(one_.machine.moves, 0U);
    EXPECT_FALSE(one_.daemon->balancer()->able());
}

TEST_F(Balancers, AProcessThatDoesNotFollowIsLeftAlone) {
    one_.machine.tasks = {{101}, {102}};
    one_.machine.sticky = true;
    start_all();
    ASSERT_TRUE(run_until([&] { return one_.agent().counters().failed == 1; }));
    EXPECT_EQ(one_.machine.cancelled, 1U);
    EXPECT_EQ(one_.machine.tasks.size(), 2U);
}

TEST_F(Balancers, StrangersGarbageWrongKeysAndReplaysAreDroppedAndCounted) {
    start_all();
    ASSERT_TRUE(run_until_met());
    const Stats& stats = two_.daemon->stats();
    const auto expect = [&](const char* what, const std::uint64_t& counter, const Bytes& bytes,
                            std::uint32_t source = loopback + 1) {
        const std::uint64_t before = counter;
        throw_at_two(bytes, source);
        EXPECT_TRUE(run_until([&] { return counter == before + 1; })) << what;
    };
    const policy::Millis known = two_.agent().members().load(1)->written;
    policy::Message lie;
    lie.own.load.id = 1;
    lie.own.load.runnable = 500;
    lie.own.stamp = {~0ULL, 9};
    const PacketHeader header{PacketType::message, 1, 2, 5, 6, 7};
    const LinkKeys foreign(Bytes(32, 0x44));
    expect("stranger", stats.packets_stranger, seal_packet(header, encode(lie), cluster_keys()),
           loopback + 9);
    expect("wrong key", stats.packets_key, seal_packet(header, encode(lie), foreign));
    expect("garbage", stats.packets_garbage, Bytes(200, 0x55));
    expect("empty", stats.packets_garbage, Bytes());
    Bytes truncated = seal_packet(header, encode(lie), cluster_keys());
    truncated.resize(truncated.size() - 5);
    expect("truncated", stats.packets_garbage, truncated);
    Bytes future = seal_packet(header, encode(lie), cluster_keys());
    future[4]++;
    expect("version", stats.packets_version, future);
    PacketHeader other = header;
    other.to = 3;
    expect("for another", stats.packets_garbage, seal_packet(other, encode(lie), cluster_keys()));
    other = header;
    other.from = 3;
    expect("from another", stats.packets_garbage, seal_packet(other, encode(lie), cluster_keys()));
    // The right key, but nothing that proves it to be fresh: what a recording has.
    expect("replay", stats.packets_replay, seal_packet(header, encode(lie), cluster_keys()));
    EXPECT_LT(two_.agent().members().load(1)->entry.load.runnable, 1);
    EXPECT_GE(two_.agent().members().load(1)->written, known);
    // And the true node 1 is still heard.
    ASSERT_TRUE(run_until([&] { return two_.agent().members().load(1)->written > known; }));
}

TEST_F(Balancers, ACaptureReplayedAcrossARestartHasNoEffect) {
    // A tap: what node 1 says to node 2 goes to a recorder instead, which passes it on.
    const Fd tap = bind_datagrams({loopback + 2, 0}).value();
    Peer tapped = two_.peer();
    tapped.gossip_port = local_endpoint(tap.get()).port;
    one_.start({tapped});
    two_.start({one_.peer()});
    const Fd back = bind_datagrams({loopback + 1, 0}).value();
    std::vector<Bytes> capture;
    const auto pass_on = [&] {
        Bytes bytes(2000);
        const ssize_t got = ::recv(tap.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got > 0) {
            bytes.resize(static_cast<std::size_t>(got));
            capture.push_back(bytes);
            send_datagram(back.get(), two_.gossip, bytes.data(), bytes.size());
        }
    };
    ASSERT_TRUE(run_until([&] {
        pass_on();
        return two_.agent().members().state(1) == policy::State::up && capture.size() > 10;
    }));
    one_.daemon.reset();
    run_for(std::chrono::milliseconds(100));  // what was passed on last is read
    // To the same run, and to the next one.
    for (int run = 0; run < 2; run++) {
        const std::uint64_t before = two_.daemon->stats().packets_replay;
        const auto* known = two_.agent().members().load(1);
        const auto written = known != nullptr ? known->written : 0;
        for (const Bytes& bytes : capture) {
            send_datagram(back.get(), two_.gossip, bytes.data(), bytes.size());
        }
        // The first packets of the capture had no echo yet: they are asked for proof.
        ASSERT_TRUE(run_until(
            [&] { return two_.daemon->stats().packets_replay + 3 >= before + capture.size(); }));
        known = two_.agent().members().load(1);
        EXPECT_EQ(known != nullptr ? known->written : 0, written);
        two_.daemon.reset();
        two_.start({one_.peer()});
    }
}

TEST_F(Balancers, ASilentPeerIsSuspectedThenDownAndUpAgain) {
    start_all();
    ASSERT_TRUE(run_until_met());
    three_.daemon.reset();
    ASSERT_TRUE(
        run_until([&] { return one_.agent().members().state(3) == policy::State::suspect; }));
    ASSERT_TRUE(run_until([&] {
        return one_.agent().members().state(3) == policy::State::down &&
               two_.agent().members().state(3) == policy::State::down;
    }));
    // A machine under load may make the others late, never dead.
    ASSERT_TRUE(run_until([&] { return one_.agent().members().state(2) == policy::State::up; }));
    three_.start({one_.peer(), two_.peer()});
    ASSERT_TRUE(run_until([&] {
        return one_.agent().members().state(3) == policy::State::up &&
               two_.agent().members().state(3) == policy::State::up;
    }));
}

TEST_F(Balancers, ADaemonThatEndsIsDownForTheKernelsOfTheOthersAndItsLinksStay) {
    const std::array others{&one_, &three_};
    start_all();
    ASSERT_TRUE(run_until_met());
    const auto seen = [&](om_node_state state) {
        return run_until([&] {
            return std::all_of(others.begin(), others.end(), [&](BalancedNode* node) {
                return node->device.pools[2].size() >= 4 && node->device.nodes[2].state == state;
            });
        });
    };
    ASSERT_TRUE(seen(OM_NODE_UP));
    // Ended as it should be: known at once, never suspected.
    two_.daemon->leave();
    two_.daemon.reset();
    const Instant begin = Clock::now();
    ASSERT_TRUE(seen(OM_NODE_DOWN));
    EXPECT_LT(Clock::now() - begin, std::chrono::milliseconds(600));
    two_.start({one_.peer(), three_.peer()});
    ASSERT_TRUE(seen(OM_NODE_UP));
    EXPECT_EQ(one_.device.nodes[2].features.xstate_size, 832U);
    // Killed: found out.
    two_.daemon.reset();
    ASSERT_TRUE(seen(OM_NODE_DOWN));
}

TEST_F(Balancers, AfterARestartANodeThatWasDownIsUpAgainWithItsFeatures) {
    one_.start({two_.peer()});
    two_.start({one_.peer()});
    ASSERT_TRUE(run_until([&] { return one_.device.pools[2].size() == 4; }));
    one_.daemon.reset();
    one_.start({two_.peer()});
    ASSERT_TRUE(run_until([&] { return one_.agent().members().state(2) == policy::State::up; }));
    two_.daemon->leave();
    two_.daemon.reset();
    ASSERT_TRUE(run_until([&] { return one_.device.nodes[2].state == OM_NODE_DOWN; }));
    two_.start({one_.peer()});
    ASSERT_TRUE(run_until([&] { return one_.device.nodes[2].state == OM_NODE_UP; }));
    EXPECT_EQ(one_.device.nodes[2].features.xstate_size, 832U);
}

TEST_F(Balancers, ANodeThatLeavesTheMapIsRemovedAndANewOneIsAdded) {
    one_.start({two_.peer()});
    two_.start({one_.peer()});
    ASSERT_TRUE(run_until([&] { return one_.device.pools[2].size() == 4; }));
    three_.start({one_.peer()});
    one_.daemon->set_peers({three_.peer()});
    EXPECT_EQ(one_.device.nodes[2].state, static_cast<unsigned>(OM_NODE_REMOVED));
    ASSERT_TRUE(run_until([&] {
        return one_.device.pools[3].size() == 4 &&
               one_.device.nodes[3].state == static_cast<unsigned>(OM_NODE_UP) &&
               one_.agent().members().state(3) == policy::State::up;
    }));
    EXPECT_EQ(one_.agent().members().load(2), nullptr);
    // Node 2 still talks, and is a stranger now.
    ASSERT_TRUE(run_until([&] { return one_.daemon->stats().packets_stranger > 0; }));
}

TEST_F(Balancers, TheControlSocketAnswers) {
    const std::string path = testing::TempDir() + "omd." + std::to_string(::getpid()) + ".sock";
    one_.machine.tasks = {{101}};
    start_all();
    ASSERT_TRUE(run_until_met());
    Service service(*one_.daemon, one_.reactor, one_.log, {}, {});
    service.set_machine(one_.machine);
    ASSERT_TRUE(service.listen(path));
    const auto ask = [&](const std::string& line) {
        Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::copy(path.begin(), path.end(), std::begin(address.sun_path));
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        const std::string text = line + "\n";
        EXPECT_EQ(::send(fd.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        std::string answer;
        EXPECT_TRUE(run_until([&] {
            service.run(Clock::now());
            std::array<char, 4096> block{};
            const ssize_t got = ::recv(fd.get(), block.data(), block.size(), MSG_DONTWAIT);
            if (got > 0) {
                answer.append(block.data(), static_cast<std::size_t>(got));
            }
            return got == 0;
        }));
        return nlohmann::json::parse(answer);
    };
    const auto nodes = ask("nodes");
    EXPECT_EQ(nodes["self"], 1);
    ASSERT_EQ(nodes["nodes"].size(), 3U);
    EXPECT_EQ(nodes["nodes"][1]["name"], "node2");
    EXPECT_EQ(nodes["nodes"][1]["state"], "up");
    EXPECT_EQ(nodes["nodes"][0]["load"], 100);
    EXPECT_EQ(nodes["nodes"][2]["tmem"], 100000);
    ASSERT_TRUE(run_until(
        [&] { return one_.agent().why(101, 0).first.reason == policy::Reason::balanced; }));
    const auto why = ask("why 101");
    EXPECT_EQ(why["decision"], "stay");
    EXPECT_EQ(why["reason"], "balanced");
    EXPECT_EQ(why["here"]["load"], 100);
    EXPECT_EQ(ask("why 999")["reason"], "not_seen");
    EXPECT_EQ(ask("status")["rejected"]["stranger"], 0);
    EXPECT_EQ(ask("nonsense")["ok"], false);
    const auto balance = ask("balance 101");
    const bool root = ::getuid() == 0;
    EXPECT_EQ(balance["ok"], false);
    EXPECT_EQ(balance["reason"], root ? "balanced" : "permission");
    if (root) {
        // By itself it would move one of the two, and the other one need not go.
        one_.daemon->balancer()->set_balance(false);
        one_.machine.tasks.push_back({102});
        const auto moved = ask("balance 102");
        EXPECT_EQ(moved["ok"], true) << moved.dump();
    }
}

// Announcements: of two nodes, the one that was there first has heard the other one's before the
// other could hear its own.
TEST_F(Balancers, WhoIsKnownAlreadyMakesItselfKnown) {
    one_.announces = two_.announces = true;
    one_.start({two_.peer()});
    two_.start({});
    EXPECT_TRUE(run_until([&] { return two_.agent().members().load(1) != nullptr; }));
}

TEST_F(Balancers, ARestartOfTheDaemonWhileAGuestIsHere) {
    one_.machine.tasks = {{101}, {102}};
    start_all();
    ASSERT_TRUE(run_until([&] { return one_.machine.moves == 1; }));
    BalancedNode& guest = two_.machine.tasks.empty() ? three_ : two_;
    guest.daemon.reset();
    BalancedNode& other = &guest == &two_ ? three_ : two_;
    guest.start({one_.peer(), other.peer()});
    ASSERT_TRUE(run_until([&] {
        const auto* known = one_.agent().members().load(guest.id);
        return known != nullptr && known->entry.load.runnable >= 1;
    }));
    run_for(std::chrono::milliseconds(1500));
    EXPECT_EQ(one_.machine.moves + two_.machine.moves + three_.machine.moves, 1U);
}

}  // namespace
}  // namespace mosrig
