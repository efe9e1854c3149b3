// SPDX-License-Identifier: MIT
//
// What a call of a process that is away costs on the wire, counted by the kernel and not by a
// clock: a word of the workload makes so many calls of one kind, and NONE makes none at all.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr const char* nothing = "NONE";
// How many calls the workload makes for one word.
constexpr std::int64_t calls = 100;

// Of this many turns for a word all but one are as they must be: a page may be missing the first
// time, and on a slow node the call that waits for the next word may come too late to be counted
// for this one.
constexpr size_t turns_for_a_word = 5;
// What a question costs by itself is a median of more.
constexpr size_t turns_for_nothing = 21;

// Trips that one word costs, turn by turn.
Result<std::vector<std::int64_t>> trips_of(Stage& stage, Subject& subject, const std::string& word,
                                           size_t turns) {
    // The answer is not the end of it: the call that waits for the next word comes after it.
    const auto trips = [&]() -> Result<std::int64_t> {
        std::int64_t last = -1;
        MOSRIG_CHECK(wait_until(
            stage.soon("round trips that stand still"),
            [&]() -> Result<bool> {
                MOSRIG_TRY(const ProcessState state,
                           read_process(stage.home(), subject.pid(), stage.soon("migstat")));
                const std::int64_t now = state.migstat.number("round_trips").value_or(0) +
                                         state.migstat.number("demand_faults").value_or(0);
                return std::exchange(last, now) == now;
            },
            Millis(50)));
        return last;
    };
    std::vector<std::int64_t> taken(turns);
    for (std::int64_t& one : taken) {
        MOSRIG_TRY(const std::int64_t before, trips());
        MOSRIG_TRY(const std::string answer,
                   subject.ask(word, stage.deadline("an answer to " + word, Millis(20000))));
        MOSRIG_CHECK(stage.require(word + " is done", answer == "OK", answer));
        MOSRIG_TRY(const std::int64_t after, trips());
        one = after - before;
    }
    return taken;
}

Result<std::int64_t> trips_of_a_question(Stage& stage, Subject& subject) {
    MOSRIG_TRY(std::vector<std::int64_t> taken,
               trips_of(stage, subject, nothing, turns_for_nothing));
    const auto middle = taken.begin() + static_cast<std::ptrdiff_t>(taken.size() / 2);
    std::nth_element(taken.begin(), middle, taken.end());
    return *middle;
}

// `none`: trips that belong to the question.
Result<void> expect_trips(Stage& stage, Subject& subject, const std::string& word,
                          std::int64_t expected, bool exactly, std::int64_t none) {
    MOSRIG_TRY(const std::vector<std::int64_t> taken,
               trips_of(stage, subject, word, turns_for_a_word));
    const auto good = [&](std::int64_t all) {
        return exactly ? all - none == expected : all - none <= expected;
    };
    stage.check(fmt::format("{} calls of {} take {}{} round trips", calls, word,
                            exactly ? "" : "at most ", expected),
                std::count_if(taken.begin(), taken.end(), good) + 1 >= std::ssize(taken),
                fmt::format("{}, of which {} belong to the question", fmt::join(taken, " "), none));
    return {};
}

}  // namespace

Result<void> play_round_trips(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(expect_before_request(stage, subject.pid(), run.phases.front()));
    // It sleeps until it is told something, and moves only when it is awake.
    const int guest = stage.guest().id();
    const Deadline deadline = stage.deadline("the move", Millis(30000));
    MOSRIG_TRY(const MoveAnswer answer,
               request_by_file(stage.home(), subject.pid(), guest, 0, deadline));
    MOSRIG_CHECK(stage.require("it may move", answer.seen == Answer::moves, answer.errno_name));
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        if (const Result<void> intact = expect_intact(stage, subject, "as it goes"); !intact) {
            return tl::unexpected(intact.error());
        }
        MOSRIG_TRY(const ProcessState state, read_process(stage.home(), subject.pid(), deadline));
        return state.where == guest;
    }));
    MOSRIG_TRY(const ProcessState away, await_place(stage.home(), subject.pid(), guest, deadline));
    stage.result.seen = Answer::moves;
    show(stage.result, away);
    // Until all pages have gone out, a call that waits is broken off for them now and then.
    MOSRIG_TRY(const std::int64_t none, trips_of_a_question(stage, subject));
    for (const auto& [word, expected] : run.round_trips) {
        MOSRIG_CHECK(expect_trips(stage, subject, word, calls * expected, true, none));
    }
    for (const auto& [word, expected] : run.round_trips_at_most) {
        MOSRIG_CHECK(expect_trips(stage, subject, word, calls * expected, false, none));
    }
    MOSRIG_CHECK(expect_intact(stage, subject, "away"));
    MOSRIG_TRY(const ProcessState after,
               read_process(stage.home(), subject.pid(), stage.soon("where it is")));
    stage.check("it stayed away for all of it", after.where == guest, std::to_string(after.where));
    MOSRIG_TRY(const int status, subject.finish(stage.deadline("its end", Millis(10000))));
    stage.check("the program ends with status 0", status == 0, std::to_string(status));
    return {};
}

}  // namespace mosrig
