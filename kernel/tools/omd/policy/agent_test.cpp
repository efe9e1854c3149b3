// SPDX-License-Identifier: GPL-2.0-only
// Agents that talk to each other over a network of the test's own, in virtual time.
#include "omd/policy/agent.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <numeric>

namespace mosrig::policy {
namespace {

struct Net {
    struct Box {
        std::unique_ptr<Agent> agent;
        std::vector<ProcessView> tasks;
        Pages mem = 90000;
        bool up = true;
    };
    std::vector<Box> nodes;
    Millis now = 0;
    unsigned moves = 0;
    std::uint64_t messages = 0;
    bool hold = false;  // processes do not go, whatever is granted
    std::mt19937_64 random{3};
    double loss = 0;

    explicit Net(std::size_t count) {
        auto roster = std::make_shared<Roster>(count);
        std::iota(roster->begin(), roster->end(), 1U);
        for (NodeId id = 1; id <= count; id++) {
            Box box;
            box.agent = std::make_unique<Agent>(id, 1, id * 11, AgentSettings{});
            box.agent->set_roster(roster);
            nodes.push_back(std::move(box));
        }
    }
    Agent& agent(NodeId id) { return *nodes[id - 1].agent; }
    void loop(NodeId id, TaskId task, Millis cpu_time = 20000) {
        ProcessView view;
        view.id = task;
        view.start = 1;
        view.demand = 1;
        view.cpu_time = cpu_time;
        view.pages = 250;
        nodes[id - 1].tasks.push_back(view);
    }
    std::size_t count(NodeId id) { return nodes[id - 1].tasks.size(); }
    Observation observation(NodeId id) {
        Observation seen;
        seen.load.tmem = 100000;
        seen.load.mem = nodes[id - 1].mem;
        seen.spare_swap = 50000;
        seen.processes = nodes[id - 1].tasks;
        return seen;
    }
    void carry(NodeId from, Outbox& out) {
        auto messages_out = std::move(out.messages);
        auto moves_out = std::move(out.moves);
        out = {};
        for (auto& [to, message] : messages_out) {
            messages++;
            const bool lost = static_cast<double>(random() % 1000) < loss * 1000;
            if (!nodes[to - 1].up || lost) {
                continue;
            }
            Outbox more;
            if (agent(to).wants_count(message, now)) {
                agent(to).recount(observation(to), now);
            }
            agent(to).receive(from, message, now, more);
            carry(to, more);
        }
        for (const Move& move : moves_out) {
            if (hold) {
                continue;
            }
            auto& tasks = nodes[from - 1].tasks;
            const auto task = std::find_if(tasks.begin(), tasks.end(),
                                           [&](const auto& one) { return one.id == move.id; });
            ASSERT_NE(task, tasks.end());
            ProcessView gone = *task;
            tasks.erase(task);
            gone.home = gone.home == 0 ? from : gone.home;
            gone.home = gone.home == move.target ? 0 : gone.home;
            nodes[move.target - 1].tasks.push_back(gone);
            moves++;
            Outbox more;
            agent(from).moved(move.id, Fate::went, 250, 50, now, more);
            carry(from, more);
        }
    }
    void run(Millis time) {
        for (const Millis end = now + time; now < end; now += 50) {
            for (NodeId id = 1; id <= nodes.size(); id++) {
                if (!nodes[id - 1].up) {
                    continue;
                }
                Outbox out;
                if (agent(id).next() <= now) {
                    agent(id).tick(now, out);
                    carry(id, out);
                }
                if ((now + id * 150) % 1000 == 0) {
                    for (ProcessView& view : nodes[id - 1].tasks) {
                        view.cpu_time += 300;
                    }
                    agent(id).observe(observation(id), now, out);
                    carry(id, out);
                }
            }
        }
    }
};

TEST(Agent, ThreeLoopsEndOnePerNodeWithinTwoPeriodsAndStay) {
    Net net(3);
    net.run(3000);
    for (const TaskId id : {1, 2, 3}) {
        net.loop(1, id, 0);
    }
    net.run(1000);  // now the overload has been seen once
    net.run(2000);
    EXPECT_EQ(net.count(1), 1U);
    EXPECT_EQ(net.count(2), 1U);
    EXPECT_EQ(net.count(3), 1U);
    net.run(60000);
    EXPECT_EQ(net.moves, 2U);
}

TEST(Agent, SeveralMovesOfOneDecisionDoNotSwampAnybody) {
    Net net(4);
    net.run(3000);
    for (TaskId id = 1; id <= 16; id++) {
        net.loop(1, id);
    }
    net.run(3000);
    for (NodeId id = 1; id <= 4; id++) {
        EXPECT_EQ(net.count(id), 4U) << id;
    }
    EXPECT_EQ(net.moves, 12U);
}

TEST(Agent, TwoOverloadedNodesDoNotBothFillTheSameIdleOne) {
    Net net(3);
    net.run(3000);
    for (TaskId id = 1; id <= 3; id++) {
        net.loop(1, id);
        net.loop(2, id + 10);
    }
    net.run(30000);
    EXPECT_EQ(net.count(3), 2U);
    EXPECT_EQ(net.moves, 2U);
}

TEST(Agent, GossipIsAFixedNumberOfMessagesAPeriod) {
    for (const std::size_t size : {3U, 10U, 40U}) {
        Net net(size);
        net.run(5000);
        const std::uint64_t before = net.messages;
        net.run(20000);
        const double each =
            static_cast<double>(net.messages - before) / 20.0 / static_cast<double>(size);
        EXPECT_NEAR(each, 4, 0.6) << size;
    }
}

TEST(Agent, ADeadNodeIsNoticedAndALivingOneIsNot) {
    Net net(6);
    net.loss = 0.05;
    net.run(5000);
    net.nodes[5].up = false;
    net.run(25000);
    for (NodeId id = 1; id <= 5; id++) {
        EXPECT_EQ(net.agent(id).members().state(6), State::down) << id;
        for (NodeId other = 1; other <= 5; other++) {
            if (other != id) {
                EXPECT_NE(net.agent(id).members().state(other), State::down);
            }
        }
    }
}

TEST(Agent, ASilentNodeIsDownWithinFifteenSecondsAndOneThatSaysGoodByeAtOnce) {
    for (const std::size_t size : {2U, 3U, 6U}) {
        Net net(size);
        net.run(5000);
        net.nodes[1].up = false;
        net.run(15000);
        for (NodeId id = 1; id <= size; id++) {
            EXPECT_TRUE(id == 2 || net.agent(id).members().state(2) == State::down) << size;
        }
    }
    Net net(3);
    net.run(5000);
    Outbox out;
    net.agent(2).leave(net.now, out);
    net.nodes[1].up = false;
    net.carry(2, out);
    for (int period = 0; period < 5; period++) {
        EXPECT_EQ(net.agent(1).members().state(2), State::down);
        EXPECT_EQ(net.agent(3).members().state(2), State::down);
        net.run(1000);
    }
}

TEST(Agent, ANodeThatIsHeldUpBlamesNobody) {
    Net net(3);
    net.run(5000);
    // The whole machine stands still for eight seconds.
    net.now += 8000;
    net.run(1000);
    for (NodeId id = 1; id <= 3; id++) {
        for (NodeId other = 1; other <= 3; other++) {
            EXPECT_TRUE(id == other || net.agent(id).members().state(other) == State::up);
        }
    }
}

TEST(Agent, AProcessThatJustMovedStays) {
    Net net(2);
    net.run(3000);
    net.loop(1, 1);
    net.loop(1, 2);
    net.run(2000);
    ASSERT_EQ(net.moves, 1U);
    // Its new node fills up at once: it is not sent back like a ball.
    net.loop(2, 10);
    net.loop(2, 11);
    net.nodes[0].tasks.clear();
    net.run(2000);
    bool still = false;
    for (const ProcessView& view : net.nodes[1].tasks) {
        still = still || view.home == 1;
    }
    EXPECT_TRUE(still);
}

TEST(Agent, ARequestThatNobodyAnswersIsGivenUp) {
    Net net(2);
    net.run(3000);
    net.nodes[1].up = false;
    net.loop(1, 1);
    net.loop(1, 2);
    net.run(4000);
    EXPECT_EQ(net.moves, 0U);
    EXPECT_GE(net.agent(1).counters().refused, 1U);
}

TEST(Agent, MemoryThatRunsOutMovesAProcessThatWouldOtherwiseStay) {
    Net net(2);
    net.run(3000);
    net.loop(1, 1);
    net.nodes[0].tasks[0].pages = 8000;
    net.run(3000);
    EXPECT_EQ(net.moves, 0U);
    net.nodes[0].mem = 4000;
    net.run(3000);
    EXPECT_EQ(net.moves, 1U);
}

TEST(Agent, ABlockedNodeTakesNothing) {
    Net net(2);
    Message request;
    request.kind = Message::Kind::request;
    request.number = 1;
    request.demand = 1;
    request.rate = 0.1;
    Observation blocked = net.observation(2);
    blocked.load.flags = flag_block;
    Outbox out;
    net.agent(2).observe(blocked, 0, out);
    net.agent(2).receive(1, request, 0, out);
    ASSERT_EQ(out.messages.size(), 1U);
    EXPECT_EQ(out.messages[0].second.kind, Message::Kind::refuse);
}

TEST(Agent, AStrangersMessageChangesNothing) {
    Net net(2);
    Message ping;
    ping.own.load.id = 9;
    Outbox out;
    net.agent(1).receive(9, ping, 0, out);
    EXPECT_TRUE(out.messages.empty());
    // Nor does one that speaks of itself as somebody else.
    ping.own.load.id = 1;
    ping.own.stamp = {9, 9};
    net.agent(1).receive(2, ping, 0, out);
    EXPECT_EQ(net.agent(1).members().load(2), nullptr);
}

TEST(Agent, SaysThatItDecidesNothing) {
    Net net(2);
    net.run(3000);
    net.loop(1, 1);
    net.loop(1, 2);
    net.agent(1).set_balance(false);
    net.run(3000);
    EXPECT_EQ(net.agent(1).why(1, net.now).first.reason, Reason::balance_off);
    EXPECT_EQ(net.agent(1).why(5, net.now).first.reason, Reason::balance_off);
    net.agent(1).set_balance(true);
    Observation quiet = net.observation(1);
    quiet.load.flags |= flag_quiet;
    Outbox out;
    net.now += 2000;
    net.agent(1).observe(quiet, net.now, out);
    EXPECT_EQ(net.agent(1).why(1, net.now).first.reason, Reason::quiet);
    EXPECT_GT(net.agent(1).why(1, net.now).first.here_load, 0);
    // What was found out for a person is not hidden by it.
    net.agent(1).reconsider(1, net.now, out);
    EXPECT_NE(net.agent(1).why(1, net.now).first.reason, Reason::quiet);
    net.now += 5000;
    net.agent(1).observe(net.observation(1), net.now, out);
    EXPECT_NE(net.agent(1).why(1, net.now).first.reason, Reason::quiet);
}

TEST(Agent, ThatNothingLeavesIsKnownOfWhoWasNotSeenYet) {
    Net net(2);
    net.run(3000);
    Observation stays = net.observation(1);
    Outbox out;
    for (const auto& [flag, reason] :
         {std::pair{flag_lstay, Reason::lstay}, std::pair{flag_stay, Reason::stay}}) {
        stays.load.flags |= flag;
        net.agent(1).observe(stays, net.now += 1000, out);
        EXPECT_EQ(net.agent(1).why(5, net.now).first.reason, reason);
    }
    // Nor is one that was away at the last look and is back.
    stays.processes.push_back({});
    stays.processes.back().id = 1;
    stays.processes.back().away = true;
    net.agent(1).observe(stays, net.now += 1000, out);
    EXPECT_EQ(net.agent(1).why(1, net.now).first.reason, Reason::stay);
}

TEST(Agent, AnswersWhyAndReconsidersWhenAsked) {
    Net net(2);
    net.run(3000);
    net.loop(1, 1);
    net.run(2000);
    EXPECT_EQ(net.agent(1).why(1, net.now).first.reason, Reason::balanced);
    EXPECT_LE(net.agent(1).why(1, net.now).second, 1100);
    EXPECT_EQ(net.agent(1).why(5, net.now).first.reason, Reason::not_seen);
    net.loop(1, 2, 10);
    net.hold = true;
    net.agent(1).recount(net.observation(1), net.now);
    Outbox out;
    net.agent(1).reconsider(2, net.now, out);
    net.carry(1, out);
    EXPECT_EQ(net.agent(1).promised(2), std::optional<NodeId>(2));
}

}  // namespace
}  // namespace mosrig::policy
