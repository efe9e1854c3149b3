// SPDX-License-Identifier: MIT
#include "harness/workload/allowed_keys.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mosrig {
namespace {

// A case with one more line in its run, and one more key in its phase.
std::string with_keys(const std::string& procedure, const std::string& run,
                      const std::string& phase = "") {
    return fmt::format(
        "id: a\ntitle: One.\ntier: full\nprocedure: {}\nruns:\n  - phases:\n"
        "      - {{cantmove: [], lock: 0{}}}\n    {}\n",
        procedure, phase.empty() ? "" : ", " + phase, run);
}

bool is_good(const std::string& yaml) {
    return parse_descriptions(yaml, "x.yml").has_value();
}

TEST(AllowedKeys, WhatAProcedureReadsIsAllowed) {
    for (const auto& [procedure, run] : std::vector<std::pair<std::string, std::string>>{
             {"phases", "command: [busy]\n    watcher: 'true'"},
             {"stalled", "command: [stall]\n    output_count: {a: 1}"},
             {"program", "command: [x.sh]\n    stays_away: x"},
             {"failures", "command: [busy]\n    messages: [commit]\n    events: [kill]"},
             {"transit", "command: [busy]\n    messages: [commit]"},
             {"soak", "command: [busy]\n    copies: 3"},
             {"balance", "command: [busy]\n    automatic: stays\n    crowd: 2"},
             {"session", "steps: [{type: x, shows: x}]"},
             {"emptying", "command: [busy]\n    interrupted: true"}}) {
        const auto read = parse_descriptions(with_keys(procedure, run), "x.yml");
        EXPECT_TRUE(read) << procedure << ": " << read.error().message();
    }
}

TEST(AllowedKeys, WhatItDoesNotReadIsNot) {
    for (const auto& [procedure, run] : std::vector<std::pair<std::string, std::string>>{
             {"phases", "command: [busy]\n    crowd: 2"},
             {"phases", "command: [busy]\n    messages: [commit]"},
             {"stalled", "command: [stall]\n    user: 5"},
             {"program", "command: [x.sh]\n    copies: 2"},
             {"failures", "command: [busy]\n    needs: [man]"},
             {"transit", "command: [busy]\n    events: [kill]"},
             {"tools", "command: [busy]\n    from: boot-script"},
             {"session", "command: [bash]"},
             {"kill", "command: [busy]\n    reason: [aio]"},
             {"soak", "command: [busy]\n    nonsense: 2"}}) {
        EXPECT_FALSE(is_good(with_keys(procedure, run))) << procedure << ": " << run;
    }
}

TEST(AllowedKeys, NorIsWhatItDoesNotReadOfAPhase) {
    const std::string busy = "command: [busy]";
    EXPECT_TRUE(is_good(with_keys("phases", busy, "send: RELEASE")));
    EXPECT_FALSE(is_good(with_keys("failures", busy, "send: RELEASE")));
    EXPECT_TRUE(is_good(with_keys("failures", busy, "route: [3]")));
    EXPECT_FALSE(is_good(with_keys("bad-network", busy, "route: [3]")));
    EXPECT_TRUE(is_good(with_keys("phases", busy, "manual: moves, route: [3], onward: [AWAIT]")));
    EXPECT_FALSE(is_good(with_keys("phases", busy, "manual: moves, onward: [AWAIT]")));
    EXPECT_TRUE(is_good(with_keys("soak", busy, "times: 3")));
    EXPECT_FALSE(is_good(with_keys("kill", busy, "times: 3")));
    EXPECT_TRUE(is_good(with_keys("existing", busy, "manual: refused, errno: EBUSY")));
    EXPECT_FALSE(is_good(with_keys("program", busy, "manual: refused, errno: EBUSY")));
    EXPECT_FALSE(is_good(with_keys("tools", busy, "nonsense: 3")));
}

TEST(AllowedKeys, WhoStartsAProgramSaysWhich) {
    EXPECT_FALSE(is_good(with_keys("phases", "user: 5")));
    EXPECT_FALSE(is_good(with_keys("phases", "command: []")));
    EXPECT_TRUE(needs_command(Procedure::existing)) << "there it names who exists";
    EXPECT_FALSE(needs_command(Procedure::session));
}

TEST(AllowedKeys, AProofIsShownOfPhasesOnly) {
    const std::string proofs = "proofs: [away-time]\n";
    EXPECT_TRUE(is_good(proofs + with_keys("phases", "command: [busy]")));
    EXPECT_FALSE(is_good(proofs + with_keys("tools", "command: [busy]")));
}

TEST(AllowedKeys, CpuTimeIsProvenOfATimeAwayOrOfARoute) {
    const std::string busy = "command: [busy]";
    const std::string moves = "manual: moves";
    EXPECT_FALSE(is_good("proofs: [cpu-time]\n" + with_keys("phases", busy, moves)));
    EXPECT_TRUE(
        is_good("proofs: [cpu-time]\n" + with_keys("phases", busy, moves + ", route: [3]")));
    EXPECT_TRUE(is_good("proofs: [away-time, cpu-time]\n" + with_keys("phases", busy, moves)));
}

}  // namespace
}  // namespace mosrig
