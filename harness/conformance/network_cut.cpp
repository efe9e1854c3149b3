// SPDX-License-Identifier: MIT
//
// The network is cut amid a move. It is slow before that, so that each message takes its time and
// the moments fall between different ones, whatever the kernel sends.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/conformance/aftermath.h"
#include "harness/conformance/bad_network.h"
#include "harness/conformance/blow.h"
#include "harness/conformance/fault_point.h"
#include "harness/conformance/footprint.h"

namespace mosrig {

namespace {

// One way. A move is a handful of messages, each of which waits for the one before.
constexpr Millis delay(60);
constexpr int moments = 12;
constexpr int lose_all = 1000;

// The process is where the move begins, and the nodes have links to each other again.
Result<void> prepare(Stage& stage, Subject& subject, bool leaving) {
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    if (leaving) {
        MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, false));
    }
    return {};
}

// Asks for the move. The daemons may learn of the cut before this one only now, and call the node
// down for a moment. Gives a moment shortly before the request was taken.
Result<Clock::time_point> ask(Stage& stage, std::int64_t pid, int node) {
    const Deadline deadline = stage.deadline("a node that is up again for good", Millis(60000));
    Clock::time_point asked;
    const auto taken = [&]() -> Result<bool> {
        asked = Clock::now();
        MOSRIG_TRY(const MoveAnswer answer,
                   request_by_file(stage.home(), pid, node, 0, stage.soon("a request")));
        return answer.seen == Answer::moves;
    };
    MOSRIG_CHECK(wait_until(deadline, taken));
    return asked;
}

// Cuts so long after the request, and mends it once it is clear what became of the process.
Result<Outcome> cut_at(Stage& stage, const Run& run, bool leaving, Millis moment) {
    const std::string title = fmt::format("cut {} ms after the request", moment.count());
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(prepare(stage, subject, leaving));
    MOSRIG_TRY(BadNetwork network, BadNetwork::make(stage, {delay, 0}));
    MOSRIG_TRY(const Clock::time_point asked,
               ask(stage, subject.pid(), leaving ? stage.guest().id() : 0));
    // Nothing is waited for but this moment.
    MOSRIG_CHECK(comes_true(
        Deadline("the moment of the cut", moment),
        [&]() -> Result<bool> { return Clock::now() - asked >= moment; }, Millis(1)));
    const Blow blow = silent_blow(Clock::now());
    MOSRIG_CHECK(network.become({Millis(0), lose_all}));
    MOSRIG_TRY(const Settled settled, settle(stage, subject));
    expect_noticed(stage, blow, title + ": it answers, or is reported dead", settled.answered);
    expect_noticed(stage, blow, title + ": it is in one place at most", settled.clear);
    stage.check(title + ": one copy lives, or its death is reported",
                settled.outcome != Outcome::unclear, to_string(settled.outcome));
    MOSRIG_TRY(const std::uint64_t lost, network.end());
    stage.check(title + ": the cut took frames", lost > 0, fmt::format("{} frames lost", lost));
    MOSRIG_CHECK(end(stage, subject, settled.outcome));
    return settled.outcome;
}

}  // namespace

Result<void> play_cut(Stage& stage, const Run& run, const std::string& event) {
    const bool leaving = event == "cut-leaving";
    MOSRIG_CHECK(warm_up(stage, run, "before the network is cut"));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    std::vector<Outcome> outcomes;
    for (int moment = 0; moment < moments; ++moment) {
        MOSRIG_TRY(const Outcome outcome, cut_at(stage, run, leaving, moment * delay));
        outcomes.push_back(outcome);
    }
    // The first was early enough, and one late enough, for others to be amid the move.
    const Outcome early = leaving ? Outcome::at_home : Outcome::dead;
    const Outcome late = leaving ? Outcome::dead : Outcome::at_home;
    stage.check(fmt::format("{}: cut at once, it is {}", event, to_string(early)),
                outcomes.front() == early, to_string(outcomes.front()));
    stage.check(fmt::format("{}: cut later, it is {}", event, to_string(late)),
                std::find(outcomes.begin(), outcomes.end(), late) != outcomes.end(),
                to_string(outcomes.back()));
    MOSRIG_CHECK(expect_usable(stage, run, "after " + event));
    return expect_nothing_left(stage, before, stage.machines());
}

}  // namespace mosrig
