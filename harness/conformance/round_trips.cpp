// SPDX-License-Identifier: MIT
//
// What a call of a process that is away costs on the wire, counted by the kernel and not by a
// clock: a word of the workload makes so many calls of one kind, and NONE makes none at all.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr const char* nothing = "NONE";
// How many calls the workload makes for one word.
constexpr std::int64_t calls = 100;

// Trips that one word costs, the median of some turns: a page may be missing the first time, and on
// a slow node the call that waits for the next word may come too late to be counted for this one.
Result<std::int64_t> trips_of(Stage& stage, Subject& subject, const std::string& word,
                              size_t turns = 5) {
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
    const auto middle = taken.begin() + static_cast<std::ptrdiff_t>(turns / 2);
    std::nth_element(taken.begin(), middle, taken.end());
    return *middle;
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
    MOSRIG_TRY(const std::int64_t none, trips_of(stage, subject, nothing, 21));
    for (const auto* words : {&run.round_trips, &run.round_trips_at_most}) {
        const bool exactly = words == &run.round_trips;
        for (const auto& [word, expected] : *words) {
            MOSRIG_TRY(const std::int64_t all, trips_of(stage, subject, word));
            const std::int64_t trips = all - none;
            stage.check(fmt::format("{} calls of {} take {}{} round trips", calls, word,
                                    exactly ? "" : "at most ", calls * expected),
                        exactly ? trips == calls * expected : trips <= calls * expected,
                        fmt::format("{}, with {} more that belong to the question", trips, none));
        }
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
