// SPDX-License-Identifier: MIT
//
// Signals that come while a process is nowhere in particular: frozen, on its way, or in a call that
// its home executes. Each message of a move is held back, and signals are sent meanwhile: some that
// are counted, and once more with one that stops the process.
#include <fmt/format.h>

#include <csignal>

#include "harness/conformance/fault_point.h"
#include "harness/conformance/messages.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

// Of the real-time signal each one counts; of the plain one, all that wait at once are one.
constexpr int real_time_signals = 3;

Result<void> send_signals(Stage& stage, std::int64_t pid, bool stop) {
    const std::string script =
        fmt::format("{1} kill -USR1 {0} && for i in $(seq {2}); do kill -RTMIN {0} || exit 1; done",
                    pid, stop ? fmt::format("kill -STOP {} &&", pid) : "", real_time_signals);
    MOSRIG_TRY(const CommandResult sent,
               stage.home().run({"bash", "-c", script}, stage.soon("signals"), 0));
    return stage.require("signals can be sent", sent.status == 0, sent.err);
}

// It stops, wherever it then is, and is let go on.
Result<void> expect_stop(Stage& stage, std::int64_t pid, const std::string& title) {
    const Deadline deadline = stage.deadline("the stop", Millis(10000));
    char seen = '?';
    MOSRIG_TRY(const bool stopped, comes_true(deadline, [&]() -> Result<bool> {
                   MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
                   seen = state.stat.state;
                   return seen == 'T';
               }));
    MOSRIG_CHECK(
        stage.require(fmt::format("{}: it is stopped", title), stopped, std::string(1, seen)));
    MOSRIG_TRY(const int error, stage.home().send_signal(pid, SIGCONT, stage.soon("SIGCONT")));
    return stage.require("it can be let go on", error == 0, errno_name(error));
}

Result<void> expect_counted(Stage& stage, Subject& subject, const std::string& title,
                            const std::string& when) {
    MOSRIG_TRY(const std::string counted, subject.ask("COUNT", stage.soon("its count")));
    stage.check(fmt::format("{}: each signal has come once, {}", title, when),
                counted == fmt::format("COUNT 1 {}", real_time_signals), counted);
    return {};
}

// It has each signal once, goes where it was asked to go, and has none of them again there or on
// the next way.
Result<void> expect_arrival(Stage& stage, Subject& subject, const std::string& title, int node) {
    MOSRIG_CHECK(expect_intact(stage, subject, title));
    MOSRIG_CHECK(expect_counted(stage, subject, title, "at its next answer"));
    const Deadline deadline = stage.deadline("the end of the move", Millis(10000));
    ProcessState state;
    MOSRIG_TRY(const bool there, comes_true(deadline, [&]() -> Result<bool> {
                   MOSRIG_TRY(state, read_process(stage.home(), subject.pid(), deadline));
                   return state.where == node && state.pending == 0;
               }));
    show(stage.result, state);
    stage.check(fmt::format("{}: the move goes on", title), there, std::to_string(state.where));
    MOSRIG_CHECK(expect_counted(stage, subject, title, "where it has arrived"));
    MOSRIG_CHECK(move_to(stage, subject.pid(), node == 0 ? stage.guest().id() : 0, 0, false));
    return expect_counted(stage, subject, title, "after one more move");
}

Result<void> play_held(Stage& stage, const Run& run, const std::string& name,
                       const std::string& side, bool stop) {
    MOSRIG_TRY(const Message message, find_message(name));
    Machine& machine = machine_of(stage, message, side);
    const std::string title =
        fmt::format("{} at {}:{}", stop ? "a stop and signals" : "signals", side, name);
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(provoke(stage, subject.pid(), message, side, "hold"));
    MOSRIG_CHECK(await_fault(stage, machine));
    MOSRIG_CHECK(send_signals(stage, subject.pid(), stop));
    MOSRIG_CHECK(arm_fault(stage, machine, "none"));
    if (stop) {
        MOSRIG_CHECK(expect_stop(stage, subject.pid(), title));
    }
    MOSRIG_CHECK(expect_arrival(stage, subject, title, target_of(stage, message)));
    return subject.program().kill(stage.soon("the end of the program"));
}

}  // namespace

Result<void> play_transit(Stage& stage, const Description& description) {
    for (const Run& run : description.runs) {
        MOSRIG_CHECK(expect_as_stated(stage, run));
        for (const std::string& name : run.messages) {
            for (const std::string& side : sides_of("hold")) {
                for (const bool stop : {false, true}) {
                    MOSRIG_CHECK(play_held(stage, run, name, side, stop));
                }
            }
        }
    }
    stage.result.seen = Answer::moves;
    return {};
}

}  // namespace mosrig
