// SPDX-License-Identifier: GPL-2.0-only
// Three daemons with balancers on loopback, for tests: real datagrams, machines in memory.
#pragma once

#include <gtest/gtest.h>
#include <optional>
#include <utility>
#include <vector>

#include "omd/acceptor.h"
#include "omd/daemon.h"
#include "omd/fake_device.h"
#include "omd/fake_machine.h"

namespace mosrig {

struct BalancedNode {
    static constexpr std::uint32_t loopback = 0x7f000000;

    std::uint32_t id;
    Fd listener;
    Fd socket;
    Endpoint links{};
    Endpoint gossip{};
    FakeDevice device;
    FakeMachine machine;
    Reactor reactor;
    Log log{-1};
    std::optional<Daemon> daemon;
    bool announces = false;

    explicit BalancedNode(std::uint32_t number) : id(number) {
        listener = listen_on({loopback + id, 0}).value();
        socket = bind_datagrams({loopback + id, 0}).value();
        links = local_endpoint(listener.get());
        gossip = local_endpoint(socket.get());
        machine.self = id;
    }
    [[nodiscard]] Peer peer() const {
        return {id, "node" + std::to_string(id), links, gossip.port};
    }
    static const LinkKeys& cluster_keys() {
        static const LinkKeys keys(Bytes(32, 0x33));
        return keys;
    }
    void start(std::vector<Peer> peers) {
        if (!listener.valid()) {
            listener = listen_on(links).value();
            socket = bind_datagrams(gossip).value();
        }
        daemon.emplace(Daemon::Settings{id, links.address, std::move(peers)}, device,
                       cluster_keys(), std::move(listener), reactor, log,
                       [](std::uint32_t, int) -> Result<pid_t> { return 1; });
        Balancer::Settings settings;
        settings.agent.period = 100;  // ten times as fast as usual
        settings.agent.ping_again = 60;
        settings.agent.ping_gives_up = 250;
        settings.agent.members.down_after = 600;
        settings.agent.residency = 500;
        settings.announce = announces;
        ASSERT_TRUE(daemon->start(Daemon::Balance{machine, settings, std::move(socket), Fd(), 0}));
    }
    [[nodiscard]] const policy::Agent& agent() { return daemon->balancer()->agent(); }
};

class Balancers : public testing::Test {
  protected:
    static constexpr std::uint32_t loopback = BalancedNode::loopback;
    static constexpr std::chrono::seconds patience{60};
    static const LinkKeys& cluster_keys() { return BalancedNode::cluster_keys(); }

    Balancers() {
        for (BalancedNode* node : {&one_, &two_, &three_}) {
            for (BalancedNode* other : {&one_, &two_, &three_}) {
                node->machine.others[other->id] = &other->machine;
            }
        }
    }
    void start_all() {
        one_.start({two_.peer(), three_.peer()});
        two_.start({one_.peer(), three_.peer()});
        three_.start({one_.peer(), two_.peer()});
    }
    void run_for(std::chrono::milliseconds time) {
        const Instant end = Clock::now() + time;
        run_until([&] { return Clock::now() >= end; });
    }
    template <class Condition>
    bool run_until(Condition condition) {
        for (const Instant end = Clock::now() + patience; Clock::now() < end;) {
            for (BalancedNode* node : {&one_, &two_, &three_}) {
                if (node->daemon) {
                    node->daemon->run_once(std::chrono::milliseconds(1));
                }
            }
            if (condition()) {
                return true;
            }
        }
        return false;
    }
    bool run_until_met() {
        return run_until([&] {
            return one_.agent().members().loads().size() == 2 &&
                   two_.agent().members().loads().size() == 2 &&
                   three_.agent().members().loads().size() == 2;
        });
    }
    // Bytes to node 2's datagram port from an address of loopback.
    void throw_at_two(const Bytes& bytes, std::uint32_t source = loopback + 1) {
        const Fd fd = bind_datagrams({source, 0}).value();
        ASSERT_TRUE(send_datagram(fd.get(), two_.gossip, bytes.data(), bytes.size()));
    }

    BalancedNode one_{1};
    BalancedNode two_{2};
    BalancedNode three_{3};
};

}  // namespace mosrig
