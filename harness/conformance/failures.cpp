// SPDX-License-Identifier: MIT
//
// A side dies, or the link breaks, at one message of a move: afterwards there is exactly one live
// copy, or a death that was reported; nothing hangs, nothing is left, and the cluster works on.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/conformance/aftermath.h"
#include "harness/conformance/blow.h"
#include "harness/conformance/bystander.h"
#include "harness/conformance/fault_point.h"
#include "harness/conformance/footprint.h"
#include "harness/conformance/messages.h"
#include "harness/conformance/refusals.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

// How long a side stands still: longer than a link may be silent, in real time as that is.
constexpr Millis standing_time = link_timeout + Millis(5000);

// How soon a process answers whose guest stands still at that message: at once, if it has not left
// yet, or has come home. One that is to go on from node to node waits until the next of them is
// given up. Nothing: it cannot go on without that guest.
std::optional<Blow> answer_due(const Stage& stage, const Message& message, Clock::time_point fell) {
    if (message.before_commit && message.onward) {
        return silent_blow(fell);
    }
    return message.before_commit || message.type == "taken" ? std::optional(plain_blow(stage, fell))
                                                            : std::nullopt;
}

// The process runs on meanwhile.
void expect_running(Stage& stage, Subject& subject, const std::string& title, const Blow& due) {
    const Result<std::string> answer =
        subject.ask("VERIFY", Deadline("an answer while a guest stands still", due.limit));
    const Clock::time_point answered = Clock::now();
    stage.check(title + ": its data are intact meanwhile", answer && *answer == "OK",
                answer ? *answer : answer.error().what);
    expect_noticed(stage, due, title + ": it answers meanwhile", answered);
}

// The side that was told to hold does so, and goes on. Until then it cannot end, whatever the other
// one made of it. A process that needs it not is asked meanwhile. Gives the moment at which the
// process was dead, if it was before that.
Result<std::optional<Clock::time_point>> stand_still(Stage& stage, Machine& machine,
                                                     Subject& subject, const std::string& title,
                                                     const std::optional<Blow>& due) {
    const Deadline end("the end of standing still", standing_time);
    if (due) {
        expect_running(stage, subject, title, *due);
    }
    std::optional<Clock::time_point> died;
    MOSRIG_CHECK(comes_true(
        end,
        [&]() -> Result<bool> {
            if (!died) {
                MOSRIG_TRY(const bool dead, is_dead(stage, subject.pid()));
                died = dead ? std::optional(Clock::now()) : std::nullopt;
            }
            return false;
        },
        Millis(100)));
    MOSRIG_CHECK(arm_fault(stage, machine, "none"));
    return died;
}

// Nobody waits for ever for a guest that does not get ready: the request ends, and says why.
Result<void> expect_timed_out(Stage& stage, const std::string& title, std::int64_t pid) {
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), pid, stage.soon("what became of the request")));
    const std::string seen = errno_name(state.error());
    stage.check(title + ": the request ends with ETIMEDOUT", seen == "ETIMEDOUT", seen);
    return {};
}

// Whoever started the process learns in time that it is dead, or has its answer as soon as that,
// and the nodes agree on it. What a guest holds that stands still is there until it goes on, and a
// process whose home does so can neither die earlier nor answer.
void expect_settled_in_time(Stage& stage, const std::string& title, Clock::time_point fell,
                            const Settled& settled) {
    const Blow blow = plain_blow(stage, fell);
    const bool dead = settled.outcome == Outcome::dead;
    expect_noticed(stage, blow, title + (dead ? ": its death is reported" : ": it answers"),
                   settled.answered);
    expect_noticed(
        stage, blow,
        title + (dead ? ": nothing of it is left" : ": it is in one place, and nothing elsewhere"),
        settled.clear);
}

// One failure at one message.
Result<void> play_failure(Stage& stage, const Run& run, const std::string& name,
                          const std::string& side, const std::string& action) {
    MOSRIG_TRY(const Message message, find_message(name));
    const bool at_home = message.at_home(side);
    Machine& machine = machine_of(stage, message, side);
    const std::string title =
        fmt::format("{}:{}:{} ({})", side, name, action, at_home ? "home" : "guest");
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const Clock::time_point ordered,
               provoke(stage, subject.pid(), message, side, action));
    const Result<Clock::time_point> fell = await_fault(stage, machine, ordered);
    const bool held = fell && action == "hold";
    std::optional<Clock::time_point> died;
    const std::optional<Blow> due =
        held && !at_home ? answer_due(stage, message, *fell) : std::nullopt;
    if (held) {
        MOSRIG_TRY(died, stand_still(stage, machine, subject, title, due));
    }
    const Clock::time_point went_on = Clock::now();
    MOSRIG_TRY(const Settled settled, settle(stage, subject));
    const Outcome outcome = settled.outcome;
    MOSRIG_CHECK(arm_fault(stage, machine, "none"));
    if (!fell && fell.error().kind != ErrorKind::timeout) {
        return tl::unexpected(fell.error());
    }
    stage.check(fmt::format("{} happens", title), fell.has_value());
    if (fell && outcome == Outcome::dead && held && !at_home) {
        expect_noticed(stage, silent_blow(*fell), title + ": its death is reported",
                       died.value_or(settled.answered));
    } else if (fell && outcome != Outcome::unclear) {
        expect_settled_in_time(stage, title, held ? went_on : *fell, settled);
    }
    if (due && message.before_commit && outcome != Outcome::dead) {
        MOSRIG_CHECK(expect_timed_out(stage, title, subject.pid()));
    }
    // A guest that is killed as it says that it is ready has said so, and is sent the process.
    const bool must_live =
        message.before_commit && (action != "kill" || (!at_home && message.type != "ready"));
    stage.check(fmt::format("{}: {}", title,
                            must_live ? "the process goes on, at home or by another link"
                                      : "one copy lives, or the process is reported dead"),
                must_live ? outcome == Outcome::at_home || outcome == Outcome::away
                          : outcome != Outcome::unclear,
                fmt::format("{}, {} after the failure", to_string(outcome),
                            seconds_between(fell.value_or(ordered), settled.clear)));
    return end(stage, subject, outcome);
}

// All that is to fail at one message.
Result<void> play_message(Stage& stage, const Run& run, const std::string& name) {
    for (const std::string& action : run.events) {
        for (const std::string& side : sides_of(action)) {
            MOSRIG_CHECK(play_failure(stage, run, name, side, action));
        }
    }
    return {};
}

// The same as the node where the message leads has no room for the process.
Result<void> play_refusal(Stage& stage, const Run& run, const std::string& name,
                          const Message& message) {
    return with_few_mappings(stage, destination_of(stage, message),
                             [&] { return play_message(stage, run, name); });
}

}  // namespace

Result<void> play_failures(Stage& stage, const Description& description) {
    MOSRIG_TRY(Subject bystander, start_bystander(stage));
    for (const Run& run : description.runs) {
        MOSRIG_CHECK(expect_as_stated(stage, run));
    }
    MOSRIG_CHECK(warm_up(stage, description.runs.front(), "before the failures"));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    int failures = 0;
    for (const Run& run : description.runs) {
        failures += count_failures(run);
        for (const std::string& name : run.messages) {
            MOSRIG_TRY(const Message message, find_message(name));
            MOSRIG_CHECK(message.leg == Leg::refused ? play_refusal(stage, run, name, message)
                                                     : play_message(stage, run, name));
        }
        if (std::count(run.events.begin(), run.events.end(), "blocked") != 0) {
            MOSRIG_CHECK(play_blocked(stage, run));
        }
    }
    stage.result.seen = Answer::moves;
    MOSRIG_CHECK(expect_usable(stage, description.runs.front(), "after the failures"));
    MOSRIG_CHECK(
        expect_nothing_left(stage, before, stage.machines(), slack_for_failures(failures)));
    return expect_unharmed(stage, bystander);
}

}  // namespace mosrig
