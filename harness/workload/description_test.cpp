// SPDX-License-Identifier: MIT
#include "harness/workload/description.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mosrig {
namespace {

constexpr const char* whole = R"(
id: shm-attached
title: A process with a segment attached stays.
tier: full
procedure: phases
proofs: [away-time]
runs:
  - command: [shm-attached, rdonly]
    user: 65534
    phases:
      - {cantmove: [monkey], lock: 0, manual: refused, errno: EBUSY, as: 1}
      - {send: RELEASE, cantmove: [], lock: 1, manual: moves, times: 3, subject: child}
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
}

Result<Description> parse_description(const std::string& yaml, const std::string& name) {
    MOSRIG_TRY(const std::vector<Description> all, parse_descriptions(yaml, name));
    return all.at(0);
}

TEST(Description, EveryFieldArrives) {
    const Result<Description> read = parse_description(whole, "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->id, "shm-attached");
    EXPECT_EQ(read->proofs, std::vector<Proof>{Proof::away_time});
    const mosrig::Run& run = read->runs.at(0);
    EXPECT_EQ(run.command, (std::vector<std::string>{"shm-attached", "rdonly"}));
    EXPECT_EQ(run.user, 65534);
    EXPECT_EQ(run.phases.at(0).cantmove, std::vector<std::string>{"monkey"});
    EXPECT_EQ(run.phases.at(0).manual, Answer::refused);
    EXPECT_EQ(run.phases.at(0).errno_name, "EBUSY");
    EXPECT_EQ(run.phases.at(0).user, 1);
    EXPECT_EQ(run.phases.at(1).send, "RELEASE");
    EXPECT_EQ(run.phases.at(1).who, Who::child);
    EXPECT_EQ(run.phases.at(1).times, 3);
    EXPECT_EQ(&read->decisive(), &run.phases.at(0));
}

TEST(Description, APhaseMayLookAtAGrandchild) {
    const Result<Description> read =
        parse_description(with(whole, "subject: child", "subject: grandchild"), "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->runs.at(0).phases.at(1).who, Who::grandchild);
}

TEST(Description, WhoWantsABootProfileHasNodesOfItsOwn) {
    const Result<Description> shared = parse_description(whole, "x.yml");
    ASSERT_TRUE(shared);
    EXPECT_FALSE(shared->wants_own_nodes());
    const std::string booted = with(whole, "user: 65534", "from: boot-script");
    const Result<Description> own =
        parse_description(with(booted, "tier: full", "tier: full\nboot: locked-boot"), "x.yml");
    ASSERT_TRUE(own) << own.error().message();
    EXPECT_TRUE(own->wants_own_nodes());
    EXPECT_EQ(own->boot, "locked-boot");
    EXPECT_EQ(own->runs.at(0).origin, Origin::boot_script);
}

TEST(Description, WhatPeopleTypeArrives) {
    constexpr const char* asks = R"(
id: tools
title: Tools say what they should.
tier: full
procedure: tools
runs:
  - command: [busy]
    needs: [man]
    phases: [{cantmove: [], lock: 0}]
    asks:
      - {run: [mosctl, whois], out: '^This is openMosix #1$'}
      - {run: [mosctl, block], as: 1000, on: other, status: 1, err: [EACCES, root]}
)";
    const Result<Description> read = parse_description(asks, "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    const mosrig::Run& run = read->runs.at(0);
    EXPECT_EQ(run.needs, std::vector<std::string>{"man"});
    ASSERT_EQ(run.asks.size(), 2U);
    EXPECT_EQ(run.asks[0].out, std::vector<std::string>{"^This is openMosix #1$"});
    EXPECT_FALSE(run.asks[0].at_guest);
    EXPECT_EQ(run.asks[1].user, 1000);
    EXPECT_TRUE(run.asks[1].at_guest);
    EXPECT_EQ(run.asks[1].status, 1);
    EXPECT_EQ(run.asks[1].err, (std::vector<std::string>{"EACCES", "root"}));
    EXPECT_FALSE(parse_description(with(asks, "#1$", "(1"), "x.yml")) << "no pattern";
    EXPECT_FALSE(parse_description(with(asks, "on: other", "on: mars"), "x.yml"));
}

TEST(Description, AStepThatChangesTheWindowSaysWhoIsInFront) {
    const std::string session = R"(
id: session-editor
title: An editor.
tier: full
procedure: session
runs:
  - phases: [{cantmove: [], lock: 0, manual: moves}]
    steps: [{size: [30, 100], front: vi, shows: x}]
)";
    const Result<Description> read = parse_description(session, "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->runs.at(0).steps.at(0).front, "vi");
    EXPECT_EQ(read->runs.at(0).steps.at(0).size->rows, 30);
    EXPECT_FALSE(parse_description(with(session, "front: vi, ", ""), "x.yml"));
}

TEST(Description, TiersContainTheSmallerOnes) {
    const Result<Description> read = parse_description(whole, "x.yml");
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->in_tier("quick"));
    EXPECT_TRUE(read->in_tier("full"));
    EXPECT_TRUE(read->in_tier("night"));
}

TEST(Description, AWordNamesACaseByItsIdOrByAPattern) {
    EXPECT_TRUE(is_named("fail-going", {"busy", "fail-*"}));
    EXPECT_TRUE(is_named("busy", {"busy"}));
    EXPECT_FALSE(is_named("busy-crowded", {"busy", "fail-*"}));
    EXPECT_FALSE(is_named("busy", {}));
}

TEST(Description, TheDecisivePhaseMayBeALaterOne) {
    const Result<Description> read =
        parse_description(with(whole, "times: 3", "decisive: true"), "x.yml");
    ASSERT_TRUE(read);
    EXPECT_EQ(&read->decisive(), &read->runs.at(0).phases.at(1));
}

TEST(Description, FaultsAreFoundAndPlaced) {
    const std::vector<std::pair<std::string, std::string>> faults = {
        {"tier: full", "tier: weekly"},
        {"cantmove: [monkey], ", ""},
        {"lock: 0", "look: 0"},
        {", errno: EBUSY", ""},
        {"manual: moves", "manual: flies"},
        {"id: shm-attached", "# none"},
        {"procedure: phases", "procedure: x"},
        {"[away-time]", "[perpetual-motion]"},
        {"lock: 1", "lock: one"},
        {"errno: EBUSY", "errno: EBUSY, away: [WORD]"},
        {"times: 3", "ends: nowhere"},
        {"user: 65534", "from: boot-script"},
        {"tier: full", "tier: full\nboot: shut-boot"},
    };
    for (const auto& [from, to] : faults) {
        const Result<Description> read = parse_description(with(whole, from, to), "x.yml");
        ASSERT_FALSE(read) << to;
        EXPECT_EQ(read.error().kind, ErrorKind::usage);
        EXPECT_EQ(read.error().what.rfind("x.yml:", 0), 0U) << read.error().what;
    }
}

TEST(Description, WhatHappensAwayArrives) {
    const Result<Description> read = parse_description(
        with(whole, "times: 3",
             "away: [A, B], ends: home, home_reason: 'signal:', cantmove_home: [aio]"),
        "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    const Phase& phase = read->runs.at(0).phases.at(1);
    EXPECT_EQ(phase.away, (std::vector<std::string>{"A", "B"}));
    EXPECT_EQ(phase.ends, Ends::home);
    EXPECT_EQ(phase.home_reason, "signal:");
    EXPECT_EQ(phase.cantmove_home, std::vector<std::string>{"aio"});
}

TEST(Description, AReasonIsShownClearedAndSetAgain) {
    constexpr const char* reason = R"(
id: a
title: One.
tier: quick
runs: [{command: [stay, aio], reason: [aio]}]
---
id: b
title: Another.
tier: quick
runs: [{command: [stay, seccomp, --later], reason: [seccomp], stays_for_good: true}]
)";
    const Result<std::vector<Description>> read = parse_descriptions(reason, "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->size(), 2U);
    const std::vector<Phase>& clears = read->at(0).runs.at(0).phases;
    ASSERT_EQ(clears.size(), 6U);
    // Between these two nobody asks for anything: the word goes with its cause.
    EXPECT_FALSE(clears[0].manual);
    EXPECT_EQ(clears[0].cantmove, std::vector<std::string>{"aio"});
    EXPECT_FALSE(clears[1].manual);
    EXPECT_TRUE(clears[1].cantmove.empty());
    EXPECT_EQ(read->at(0).decisive().manual, Answer::refused);
    EXPECT_EQ(clears[4].ends, Ends::home);
    EXPECT_EQ(clears[5].manual, Answer::moves);
    const std::vector<Phase>& stays = read->at(1).runs.at(0).phases;
    ASSERT_EQ(stays.size(), 2U);
    EXPECT_EQ(stays[0].away, std::vector<std::string>{"HOLD"});
    EXPECT_EQ(stays[1].manual, Answer::refused);
}

TEST(Description, WhatMoswhyIsToSayArrives) {
    const Result<Description> read =
        parse_description(with(whole, "as: 1}", "as: 1, moswhy: ['shm id \\d+', PID]}"), "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->runs.at(0).phases.at(0).moswhy,
              (std::vector<std::string>{"shm id \\d+", "PID"}));
    EXPECT_FALSE(parse_description(with(whole, "as: 1}", "as: 1, moswhy: '(x'}"), "x.yml"));
    constexpr const char* reason = R"(
id: a
title: One.
tier: quick
runs: [{command: [stay, aio], reason: [aio], moswhy: io_setup}]
)";
    const Result<Description> stays = parse_description(reason, "x.yml");
    ASSERT_TRUE(stays) << stays.error().message();
    EXPECT_EQ(stays->decisive().moswhy, std::vector<std::string>{"io_setup"});
    EXPECT_FALSE(parse_description(with(whole, "user: 65534", "moswhy: x"), "x.yml"));
}

// One reason is told in detail wherever somebody has to stay.
TEST(Description, EveryCaseOfAReasonSaysWhatMoswhyTells) {
    const Result<std::vector<Description>> all = load_descriptions(MOSRIG_WORKLOADS);
    ASSERT_TRUE(all) << all.error().message();
    for (const Description& description : *all) {
        if (description.id.starts_with("stay-")) {
            const std::vector<Phase>& phases = description.runs.front().phases;
            EXPECT_TRUE(std::any_of(phases.begin(), phases.end(), [](const Phase& phase) {
                return !phase.moswhy.empty();
            })) << description.id;
        }
    }
}

TEST(Description, WhatTheBalancerIsToldArrives) {
    constexpr const char* balance = R"(
id: a
title: One.
tier: full
procedure: balance
nodes: 3
may_skip: why not
runs:
  - command: [busy]
    automatic: stays
    speeds: [10000, 5000]
    best: [2, 1, 0]
    extra_moves: 0
    frees: RELEASE
    phases: [{cantmove: [], lock: 0}]
)";
    const Result<Description> read = parse_description(balance, "x.yml");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->nodes, 3);
    EXPECT_EQ(read->may_skip, "why not");
    EXPECT_EQ(read->runs.at(0).speeds, (std::vector<int>{10000, 5000}));
    EXPECT_EQ(read->runs.at(0).best, (std::vector<int>{2, 1, 0}));
    EXPECT_EQ(read->runs.at(0).extra_moves, 0);
    EXPECT_EQ(read->runs.at(0).frees, "RELEASE");
    EXPECT_FALSE(parse_description(with(balance, "stays", "moves"), "x.yml"))
        << "who moves anyway is not to be freed";
}

TEST(Description, TheRealOnesAreGoodAndComplete) {
    const Result<std::vector<Description>> all = load_descriptions(MOSRIG_WORKLOADS);
    ASSERT_TRUE(all) << all.error().message();
    for (const char* id :
         {"busy",           "shm-howto",        "shmget-only",   "shm-attached", "shm-rdonly",
          "pthreads-howto", "pthreads-long",    "lock-mosrun-h", "lock-zero",    "lock-fork",
          "lock-exec",      "lock-mosrun-l",    "lock-eperm",    "mlock",        "rt-sched",
          "mmap-shared",    "mmap-anon-shared", "mmap-dev",      "system",       "kthread",
          "ten-moves",      "kill-away",        "exec-syscalls"}) {
        EXPECT_TRUE(std::any_of(all->begin(), all->end(), [id](const Description& description) {
            return description.id == id && description.in_tier("quick");
        })) << id;
    }
}

}  // namespace
}  // namespace mosrig
