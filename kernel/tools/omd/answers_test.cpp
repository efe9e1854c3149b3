// SPDX-License-Identifier: GPL-2.0-only
// What a person reads of a verdict.
#include "omd/answers.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

using policy::Reason;
using policy::Verdict;

std::string said(const Verdict& verdict) {
    return sentence(verdict, "node 1", "node 2", "NOBODY");
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// An agent of node 1 that has heard of the loads of others; `flags`: theirs, from node 2 on.
policy::Agent heard(const std::vector<std::uint8_t>& flags) {
    policy::Agent agent(1, 1, 1, {});
    auto roster = std::make_shared<policy::Roster>();
    for (policy::NodeId id = 1; id <= flags.size() + 1; id++) {
        roster->push_back(id);
    }
    agent.set_roster(roster);
    for (policy::NodeId id = 2; id <= flags.size() + 1; id++) {
        policy::Agent other(id, 1, id, {});
        other.set_roster(roster);
        policy::Observation seen;
        seen.load.flags = flags[id - 2];
        policy::Outbox out;
        other.observe(seen, 1000, out);
        for (policy::Millis now = 1000; now < 9000; now += 100) {
            other.tick(now, out);
        }
        policy::Outbox answers;
        for (const auto& [to, message] : out.messages) {
            agent.receive(id, message, 1000, answers);
        }
    }
    return agent;
}

TEST(Sentence, OfNoBetterNode) {
    Verdict verdict{Reason::no_better_node, 2, 200, 210, -5, 30};
    EXPECT_EQ(said(verdict),
              "node 1 has a load of 200, node 2, the best other one, of 210: there it would not "
              "run faster.");
    verdict.gain_ms = 100;
    EXPECT_TRUE(has(said(verdict), "no gain that would last"));
    verdict.best = 0;
    EXPECT_EQ(said(verdict), "node 1 has a load of 200; NOBODY.");
}

TEST(Sentence, NobodyIsSpokenOfOnlyWhereItMatters) {
    const Verdict verdict{Reason::balanced, 0, 50, 0, 0, 0};
    EXPECT_FALSE(has(said(verdict), "NOBODY"));
    EXPECT_TRUE(has(said(verdict), "node 1 has a load of 50: there are not more"));
}

TEST(Sentence, OfOneThatIsTooYoung) {
    Verdict verdict{Reason::too_young, 2, 200, 0, 100, 300};
    EXPECT_TRUE(has(said(verdict), "gain 0.1 s, and a move costs 0.3 s"));
    // Nothing was reckoned for it yet.
    verdict = {Reason::too_young, 0, 200, 0, 0, 0};
    EXPECT_FALSE(has(said(verdict), "0.0 s"));
    EXPECT_TRUE(has(said(verdict), "busy for a moment only"));
}

TEST(Sentence, WhyThereIsNoOtherNode) {
    EXPECT_EQ(nobody(heard({})), "nothing is known yet of the load of any other node");
    EXPECT_EQ(nobody(heard({policy::flag_block, policy::flag_block})),
              "no other node takes it: 2 are blocked (mosctl noblock, there, changes that)");
    const std::string mixed = nobody(heard(
        {policy::flag_block, policy::flag_quiet, policy::flag_block | policy::flag_quiet, 0}));
    EXPECT_TRUE(has(mixed, "2 are blocked")) << mixed;
    EXPECT_TRUE(has(mixed, ", 1 is quiet")) << mixed;
    EXPECT_TRUE(has(mixed, ", 1 is short of memory")) << mixed;
    policy::Agent agent = heard({0, policy::flag_block});
    agent.set_unlike(2, true);
    EXPECT_TRUE(has(nobody(agent), ", 1 is no target, for the CPU there has other features"))
        << nobody(agent);
    EXPECT_FALSE(has(nobody(agent), "short of memory"));
}

}  // namespace
}  // namespace mosrig
