// SPDX-License-Identifier: MIT
//
// The network is cut amid a move: for good, at many moments, or for some seconds, as one message is
// to be sent.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/conformance/aftermath.h"
#include "harness/conformance/bad_network.h"
#include "harness/conformance/blow.h"
#include "harness/conformance/fault_point.h"
#include "harness/conformance/footprint.h"
#include "harness/conformance/messages.h"

namespace mosrig {

namespace {

// One way, before it is cut for good: each message takes its time, and the moments fall between
// different ones, whatever the kernel sends. A move is a handful of messages, each of which waits
// for the one before.
constexpr Millis delay(60);
constexpr int moments = 12;
constexpr int lose_all = 1000;
// Too short for a side to be dead.
constexpr Millis blip_time(4000);
static_assert(blip_time < link_timeout / 2);

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

// Nothing is waited for but time.
Result<void> let_pass(const std::string& what, Clock::time_point begin, Millis time) {
    return comes_true(
               Deadline(what, time), [&]() -> Result<bool> { return Clock::now() - begin >= time; },
               Millis(1))
        .map([](bool) {});
}

// Cuts so long after the request, and mends it once it is clear what became of the process.
Result<Outcome> cut_at(Stage& stage, const Run& run, bool leaving, Millis moment) {
    const std::string title = fmt::format("cut {} ms after the request", moment.count());
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(prepare(stage, subject, leaving));
    MOSRIG_TRY(BadNetwork network, BadNetwork::make(stage, {delay, 0}));
    MOSRIG_TRY(const Clock::time_point asked,
               ask(stage, subject.pid(), leaving ? stage.guest().id() : 0));
    MOSRIG_CHECK(let_pass("the moment of the cut", asked, moment));
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

// Cuts as that message is to be sent, so that it is lost, and mends after some seconds. The move
// goes on where it was.
Result<void> blip_at(Stage& stage, const Run& run, const std::string& name) {
    const std::string title = fmt::format("cut for {} s at {}", blip_time.count() / 1000, name);
    MOSRIG_TRY(const Message message, find_message(name));
    Machine& sender = machine_of(stage, message, "send");
    const int target = target_of(stage, message);
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(provoke(stage, subject.pid(), message, "send", "hold"));
    MOSRIG_CHECK(await_fault(stage, sender));
    MOSRIG_TRY(BadNetwork network, BadNetwork::make(stage, {Millis(0), lose_all}));
    const Blow blow = silent_blow(Clock::now());
    MOSRIG_CHECK(arm_fault(stage, sender, "none"));
    MOSRIG_CHECK(let_pass("the end of the cut", blow.fell, blip_time));
    const Result<ProcessState> amid =
        read_process(stage.home(), subject.pid(), stage.soon("where it is amid the cut"));
    stage.check(title + ": it is under way as the network is mended", amid && amid->where != target,
                amid ? std::to_string(amid->where) : amid.error().what);
    MOSRIG_TRY(const std::uint64_t lost, network.end());
    stage.check(title + ": the cut took frames", lost > 0, fmt::format("{} frames lost", lost));
    MOSRIG_TRY(const Settled settled, settle(stage, subject));
    stage.check(title + ": it lives, in one place",
                settled.outcome == Outcome::at_home || settled.outcome == Outcome::away,
                to_string(settled.outcome));
    if (settled.outcome == Outcome::dead) {
        return end(stage, subject, settled.outcome);
    }
    ProcessState state;
    MOSRIG_TRY(
        const bool there,
        comes_true(stage.deadline("the end of the move", Millis(10000)), [&]() -> Result<bool> {
            MOSRIG_TRY(state, read_process(stage.home(), subject.pid(), stage.soon("where it is")));
            return state.where == target && state.pending == 0;
        }));
    expect_noticed(stage, blow, title + ": it has arrived", Clock::now());
    show(stage.result, state);
    stage.check(title + ": the move goes on", there && state.error() == 0,
                fmt::format("where {}, {}", state.where, errno_name(state.error())));
    MOSRIG_CHECK(expect_intact(stage, subject, title + ": where it was to go"));
    return end(stage, subject, settled.outcome);
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
    return expect_nothing_left(stage, before, stage.machines(), slack_for_failures(moments));
}

Result<void> play_blips(Stage& stage, const Run& run) {
    MOSRIG_CHECK(warm_up(stage, run, "before the network is cut"));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    for (const std::string& name : run.messages) {
        MOSRIG_CHECK(blip_at(stage, run, name));
    }
    MOSRIG_CHECK(expect_usable(stage, run, "after the cuts"));
    return expect_nothing_left(stage, before, stage.machines(),
                               slack_for_failures(static_cast<int>(run.messages.size())));
}

}  // namespace mosrig
