// SPDX-License-Identifier: GPL-2.0-only
// What one agent makes of what it sees, remembers and hears: its own memory and that of the node.
#include <gtest/gtest.h>
#include <algorithm>

#include "omd/policy/agent.h"

namespace mosrig::policy {
namespace {

// Node 1, and what nodes 2 and 3 say to it.
struct Alone {
    AgentSettings settings;
    Agent agent;
    Millis now = 0;
    Observation seen;
    Outbox out;
    std::uint32_t said = 0;

    explicit Alone(AgentSettings made = {}, std::uint64_t seed = 7)
        : settings(made), agent(1, 1, seed, made) {
        agent.set_roster(std::make_shared<Roster>(Roster{1, 2, 3}));
        seen.load.tmem = seen.load.mem = 100000;
        seen.spare_swap = 50000;
    }
    ProcessView& process(TaskId id, NodeId home = 0) {
        ProcessView view;
        view.id = id;
        view.start = 1;
        view.home = home;
        view.demand = 1;
        view.cpu_time = 20000;
        view.pages = 250;
        seen.processes.push_back(view);
        return seen.processes.back();
    }
    void hear(NodeId from, double runnable = 0, Message message = {}) {
        message.own.load.id = from;
        message.own.load.runnable = runnable;
        message.own.load.mem = message.own.load.tmem = 100000;
        message.own.stamp = {1, ++said};
        agent.receive(from, message, now, out);
    }
    void answer(Message::Kind kind, const Message& request, NodeId from) {
        Message message;
        message.kind = kind;
        message.number = request.number;
        hear(from, 0, message);
    }
    // A period passes. `runnable`: on node 2.
    void look(double runnable = 0) {
        now += settings.period;
        hear(2, runnable);
        out = {};
        agent.observe(seen, now, out);
    }
    [[nodiscard]] std::vector<std::pair<NodeId, Message>> requests() const {
        std::vector<std::pair<NodeId, Message>> found;
        std::copy_if(out.messages.begin(), out.messages.end(), std::back_inserter(found),
                     [](const auto& one) { return one.second.kind == Message::Kind::request; });
        return found;
    }
};

TEST(AgentMemory, WhoRestsForALookHasNotForgottenThatItCame) {
    Alone node;
    node.process(9).locked = true;
    node.process(1).away = true;
    node.look();
    node.look();
    node.seen.processes[1].away = false;  // it has come home
    node.look();
    const ProcessView rests = node.seen.processes[1];
    node.seen.processes.pop_back();
    node.look();
    EXPECT_EQ(node.agent.why(1, node.now).first.reason, Reason::not_seen);
    node.seen.processes.push_back(rests);
    node.look();
    node.look();
    EXPECT_EQ(node.agent.why(1, node.now).first.reason, Reason::just_moved);
    for (int i = 0; i < 5 && node.requests().empty(); i++) {
        node.look();
    }
    EXPECT_EQ(node.requests().size(), 1U);
}

TEST(AgentMemory, ARestDoesNotWipeOutThePast) {
    Alone node;
    node.process(7).locked = true;
    node.process(8).locked = true;
    node.process(9).locked = true;
    node.process(1).demand = 0.3;
    for (int i = 0; i < 60; i++) {
        node.look(5);
    }
    ProcessView view = node.seen.processes[3];
    node.seen.processes.pop_back();
    node.look(5);
    view.demand = 1;
    node.seen.processes.push_back(view);
    node.look(5);
    node.look(5);
    // It would lose by going: in proportion to what it is expected to use.
    EXPECT_LT(node.agent.why(1, node.now).first.gain_ms, 0);
    EXPECT_GT(node.agent.why(1, node.now).first.gain_ms, -25000);
}

TEST(AgentMemory, WhoHasClearedItsPastIsJudgedByWhatItDoesNow) {
    Alone node;
    node.process(8).locked = true;
    node.process(9).locked = true;
    node.process(1).demand = 0.3;
    for (int i = 0; i < 60; i++) {
        node.look(3);
    }
    // It would lose by going: in proportion to what it is expected to use.
    EXPECT_GT(node.agent.why(1, node.now).first.gain_ms, -15000);
    ProcessView& view = node.seen.processes[2];
    view.demand = 1;
    view.cleared = 5;
    node.look(3);
    EXPECT_LT(node.agent.why(1, node.now).first.gain_ms, -30000);
}

TEST(AgentMemory, NoTrendIsSeenInAFewMilliseconds) {
    Alone node;
    node.process(1).pages = 5000;
    node.seen.load.mem = 15000;
    for (int i = 0; i < 3; i++) {
        node.look();
    }
    // Somebody asks for a place, so that it is counted just before the period ends.
    node.now += 997;
    node.agent.recount(node.seen, node.now);
    node.now += 3;
    node.seen.load.mem = 14950;
    node.hear(2);
    node.out = {};
    node.agent.observe(node.seen, node.now, node.out);
    EXPECT_TRUE(node.requests().empty());
    // In a second it is one.
    node.seen.load.mem = 12000;
    node.look();
    EXPECT_EQ(node.requests().size(), 1U);
}

TEST(AgentMemory, ASuddenFallDoesNotEmptyTheNode) {
    Alone node;
    node.seen.load.cpus = 8;
    for (TaskId id = 1; id <= 8; id++) {
        node.process(id).pages = 5000;
    }
    node.look();
    node.look();
    node.seen.load.mem = 19000;  // at this rate it would be gone within a second
    node.look();
    EXPECT_EQ(node.requests().size(), 2U);
}

TEST(AgentMemory, WhatIsAboutToLeaveIsNotWantedOnceMore) {
    Alone node;
    node.seen.load.cpus = 4;
    for (TaskId id = 1; id <= 3; id++) {
        node.process(id).pages = 7000;
    }
    node.seen.load.mem = 4000;
    node.look();
    node.look();
    auto asked = node.requests();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_TRUE(asked[0].second.urgent);
    node.answer(Message::Kind::grant, asked[0].second, 2);
    ASSERT_EQ(node.out.moves.size(), 1U);
    node.look();  // it is on its way
    EXPECT_TRUE(node.requests().empty());
}

TEST(AgentMemory, OfEqualNodesTheOneHeardOfLastIsAsked) {
    for (std::uint64_t seed = 1; seed <= 10; seed++) {
        Alone node({}, seed);
        node.process(9).locked = true;
        node.process(1);
        node.look();
        node.hear(3);
        node.now += 1000;
        node.hear(2);
        node.out = {};
        node.agent.observe(node.seen, node.now, node.out);
        ASSERT_EQ(node.requests().size(), 1U);
        EXPECT_EQ(node.requests()[0].first, 2U) << seed;
    }
}

TEST(AgentMemory, WithALongPeriodNewsIsGoodForLonger) {
    AgentSettings slow;
    slow.period = 20000;
    Alone node(slow);
    node.process(9).locked = true;
    node.process(1);
    node.look();
    node.now += 1000;
    node.hear(2);
    node.now += 19000;
    node.out = {};
    node.agent.observe(node.seen, node.now, node.out);
    EXPECT_EQ(node.requests().size(), 1U);
    AgentSettings usual;
    EXPECT_EQ(scaled(usual).stale, usual.stale);
    EXPECT_EQ(scaled(slow).ledger.settles, 20 * usual.ledger.settles);
    EXPECT_EQ(scaled(slow).members.worth_telling, 20 * usual.members.worth_telling);
}

TEST(AgentMemory, WhoComesHomeByItselfFulfilsNobodysPromise) {
    Alone node;
    node.process(1).away = true;
    node.look();
    Message request;
    request.kind = Message::Kind::request;
    request.number = 4;
    request.demand = 1;
    request.rate = 0.1;
    node.hear(2, 0, request);
    EXPECT_DOUBLE_EQ(node.agent.own_load().runnable, 1);
    node.seen.processes[0].away = false;
    node.look();
    EXPECT_DOUBLE_EQ(node.agent.own_load().runnable, 2);
    node.process(2, 2);
    node.look();
    EXPECT_DOUBLE_EQ(node.agent.own_load().runnable, 2);
}

TEST(AgentMemory, ANodeThatRefusedIsAskedAgainInTheNextPeriodOnly) {
    Alone node;
    node.process(9).locked = true;
    node.process(1);
    node.look();
    node.look();
    const auto asked = node.requests();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].second.about, 1U);
    node.out = {};
    node.now += 5;
    node.answer(Message::Kind::refuse, asked[0].second, 2);
    EXPECT_TRUE(node.requests().empty());
    EXPECT_EQ(node.agent.why(1, node.now).first.reason, Reason::refused_by_node);
    node.look();
    EXPECT_EQ(node.requests().size(), 1U);
}

TEST(AgentMemory, ANodeWithAnotherCpuIsNotAskedUntilItHasTheSame) {
    Alone node;
    node.agent.set_unlike(2, true);
    node.process(9).locked = true;
    node.process(1);
    node.look();
    node.look();
    EXPECT_TRUE(node.requests().empty());
    node.agent.set_unlike(2, false);
    node.look();
    EXPECT_EQ(node.requests().size(), 1U);
}

// Node 2 takes a guest of node 3's, which node 3 does not let go.
void keep_a_guest(Alone& node) {
    node.process(9).locked = true;
    node.process(1, 3);
    node.look();
    node.look();
    const auto asked = node.requests();
    ASSERT_EQ(asked.size(), 1U);
    node.answer(Message::Kind::grant, asked[0].second, 2);
    node.agent.moved(1, Fate::kept, 0, 0, node.now, node.out);
}

TEST(AgentMemory, AGuestThatIsNotLetGoIsNotAskedForAgainForLong) {
    Alone node;
    ASSERT_NO_FATAL_FAILURE(keep_a_guest(node));
    EXPECT_FALSE(node.out.messages.back().second.done) << "the promise is given back";
    for (int i = 0; i < 120; i++) {
        node.look();
        ASSERT_TRUE(node.requests().empty()) << i;
    }
    EXPECT_EQ(node.agent.why(1, node.now).first.reason, Reason::guest);
}

TEST(AgentMemory, ThatAGuestIsNotLetGoIsNotTheOtherNodesFault) {
    Alone node;
    ASSERT_NO_FATAL_FAILURE(keep_a_guest(node));
    node.process(2);
    node.look();
    node.look();
    EXPECT_EQ(node.requests().size(), 1U);
}

TEST(AgentMemory, WhoIsBackAlreadyStaysForAWhile) {
    Alone node;
    node.process(9).locked = true;
    node.process(1);
    node.look();
    node.look();
    ASSERT_EQ(node.requests().size(), 1U);
    node.answer(Message::Kind::grant, node.requests()[0].second, 2);
    node.agent.moved(1, Fate::came_back, 0, 0, node.now, node.out);
    EXPECT_EQ(node.agent.counters().failed, 0U);
    for (int i = 0; i < 4; i++) {
        node.look();
        EXPECT_TRUE(node.requests().empty()) << i;
    }
    EXPECT_EQ(node.agent.why(1, node.now).first.reason, Reason::just_moved);
    node.look();
    node.look();
    EXPECT_EQ(node.requests().size(), 1U);
}

}  // namespace
}  // namespace mosrig::policy
