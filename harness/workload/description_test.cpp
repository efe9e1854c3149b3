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

TEST(Description, TiersContainTheSmallerOnes) {
    const Result<Description> read = parse_description(whole, "x.yml");
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->in_tier("quick"));
    EXPECT_TRUE(read->in_tier("full"));
    EXPECT_TRUE(read->in_tier("night"));
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
    };
    for (const auto& [from, to] : faults) {
        const Result<Description> read = parse_description(with(whole, from, to), "x.yml");
        ASSERT_FALSE(read) << to;
        EXPECT_EQ(read.error().kind, ErrorKind::usage);
        EXPECT_EQ(read.error().what.rfind("x.yml:", 0), 0U) << read.error().what;
    }
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
