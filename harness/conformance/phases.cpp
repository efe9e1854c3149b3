// SPDX-License-Identifier: MIT
//
// The procedure of most cases: a workload that speaks the contract goes through its phases.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

// A move of 256 MiB under emulation takes its time; the deadline is for what hangs.
constexpr Millis move_time(30000);
constexpr Millis start_time(10000);
constexpr Millis answer_time(10000);

std::string number(std::int64_t value) {
    return std::to_string(value);
}

// The process that the phase looks at.
Result<std::int64_t> find_pid(Stage& stage, const Subject& subject, const Phase& phase) {
    if (phase.who == Who::started) {
        return subject.pid();
    }
    // A child that the program only now makes is waited for.
    std::int64_t child = 0;
    MOSRIG_CHECK(wait_until(stage.soon("a child of the program"), [&]() -> Result<bool> {
        MOSRIG_TRY(const std::vector<TaskStat> tasks,
                   list_tasks(stage.home(), stage.soon("the list of processes")));
        const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const TaskStat& task) {
            return task.ppid == subject.pid();
        });
        child = found == tasks.end() ? 0 : found->pid;
        return child != 0;
    }));
    return child;
}

// What the rig itself does at the beginning of a phase.
Result<void> begin_phase(Stage& stage, Subject& subject, const Phase& phase) {
    if (phase.set_lock) {
        MOSRIG_TRY(const int error,
                   stage.home().write_file(fmt::format("/proc/{}/lock", subject.pid()),
                                           number(*phase.set_lock), stage.soon("a write to lock"),
                                           phase.user));
        const std::string seen = error == 0 ? "" : errno_name(error);
        stage.check(phase.lock_errno.empty()
                        ? fmt::format("writing {} to lock succeeds", *phase.set_lock)
                        : fmt::format("writing {} to lock as user {} gives {}", *phase.set_lock,
                                      phase.user, phase.lock_errno),
                    seen == phase.lock_errno, seen);
    }
    if (!phase.send.empty()) {
        MOSRIG_TRY(
            const std::string answer,
            subject.ask(phase.send, stage.deadline("an answer to " + phase.send, answer_time)));
        MOSRIG_CHECK(
            stage.require(phase.send + " is done", answer == "OK" || answer == "READY", answer));
    }
    return {};
}

void check_timings(Stage& stage, const Migstat& migstat) {
    std::int64_t last = 1;
    bool ordered = true;
    std::string seen;
    for (const char* name :
         {"requested_ns", "prepared_ns", "frozen_ns", "resumed_ns", "released_ns"}) {
        const std::int64_t value = migstat.number(name).value_or(0);
        ordered = ordered && value >= last;
        last = value;
        seen += fmt::format("{} {} ", name, value);
    }
    stage.check("migstat's times are there and in order", ordered, ordered ? "" : seen);
    stage.check("freeze and total of the move are known",
                migstat.freeze_ns().has_value() && migstat.total_ns().has_value());
}

// Out by the tool, home by the file, and everything that must hold in between.
Result<void> move_out_and_home(Stage& stage, Subject& subject, std::int64_t pid, const Phase& phase,
                               bool first, bool shown) {
    const int guest = stage.guest().id();
    MOSRIG_TRY(const ProcessState before,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    MOSRIG_TRY(const ProcessState away, move_to(stage, pid, guest, phase.user, true));
    if (first) {
        check_timings(stage, away.migstat);
    }
    if (first && shown) {
        stage.result.seen = Answer::moves;
        show(stage.result, away);
    }
    stage.check("nmigs counts the move out", away.nmigs == before.nmigs + 1, number(away.nmigs));
    stage.check(fmt::format("lock is {} while away", phase.lock), away.lock == phase.lock,
                number(away.lock));
    stage.check("cantmove is as before while away", away.cantmove == before.cantmove,
                join_words(away.cantmove));
    stage.check("at home it is the same process: name, parent, user",
                away.stat.comm == before.stat.comm && away.stat.ppid == before.stat.ppid &&
                    away.uids == before.uids,
                fmt::format("{} {} {}", away.stat.comm, away.stat.ppid, away.uids));
    MOSRIG_CHECK(expect_intact(stage, subject, "away"));
    MOSRIG_TRY(const ProcessState after,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    stage.check("it answered from away", after.where == guest,
                fmt::format("where is {}, home_reason {}", after.where,
                            after.migstat.values.count("home_reason") != 0
                                ? after.migstat.values.at("home_reason")
                                : "?"));
    if (phase.identity_away) {
        MOSRIG_CHECK(
            subject.ask("IDENTITY", stage.deadline("the identity while away", answer_time))
                .map([&](const std::string& line) {
                    stage.check("it still knows its own pid while away",
                                line.find(fmt::format(" pid={} ", pid)) != std::string::npos, line);
                }));
    }
    MOSRIG_TRY(const ProcessState home, move_to(stage, pid, 0, phase.user, false));
    stage.check("nmigs counts the way home", home.nmigs == before.nmigs + 2, number(home.nmigs));
    stage.check(fmt::format("lock is {} after coming home", phase.lock), home.lock == phase.lock,
                number(home.lock));
    return expect_intact(stage, subject, "home again");
}

Result<void> play_phase(Stage& stage, Subject& subject, const Phase& phase, bool shown) {
    MOSRIG_CHECK(begin_phase(stage, subject, phase));
    MOSRIG_TRY(const std::int64_t pid, find_pid(stage, subject, phase));
    MOSRIG_TRY(const ProcessState state, expect_before_request(stage, pid, phase));
    if (phase.parent_lock) {
        MOSRIG_TRY(const ProcessState parent,
                   read_process(stage.home(), state.stat.ppid, stage.soon("the parent's state")));
        stage.check(fmt::format("the parent's lock is {}", *phase.parent_lock),
                    parent.lock == *phase.parent_lock, number(parent.lock));
    }
    if (shown) {
        show(stage.result, state);
    }
    switch (phase.manual.value_or(Answer::none)) {
        case Answer::none:
            return {};
        case Answer::refused: {
            MOSRIG_CHECK(expect_refusal(stage, pid, phase));
            return expect_intact(stage, subject, "after the refusal");
        }
        case Answer::moves:
            break;
    }
    for (int turn = 0; turn < phase.times; ++turn) {
        MOSRIG_CHECK(move_out_and_home(stage, subject, pid, phase, turn == 0, shown));
    }
    return {};
}

// The same program at home, told the same words: it must print the same.
Result<void> compare_with_still(Stage& stage, const Run& run, const Subject& moved,
                                const std::vector<std::string>& words) {
    MOSRIG_TRY(Subject still, Subject::start(stage.home(), resolve_command(run.command), run.user,
                                             workload_environment(), stage.soon("a start")));
    MOSRIG_CHECK(still.ready(stage.deadline("READY of the still run", start_time)));
    for (const std::string& word : words) {
        MOSRIG_CHECK(still.ask(word, stage.deadline("the still run", answer_time)));
    }
    MOSRIG_CHECK(still.finish(stage.deadline("the end of the still run", answer_time)));
    std::string difference;
    for (size_t line = 0; line < std::max(still.output().size(), moved.output().size()); ++line) {
        const auto at = [line](const Subject& subject) {
            return line < subject.output().size() ? subject.output()[line] : "(nothing)";
        };
        if (at(still) != at(moved)) {
            difference =
                fmt::format("line {}: still '{}', moved '{}'", line + 1, at(still), at(moved));
            break;
        }
    }
    stage.check("it printed what a run that never moved prints", difference.empty(), difference);
    return {};
}

Result<void> play_run(Stage& stage, const Description& description, const Run& run, bool first) {
    MOSRIG_TRY(Subject subject,
               Subject::start(stage.home(), resolve_command(run.command), run.user,
                              workload_environment(), stage.soon("the start of the program")));
    MOSRIG_TRY(const std::string ready,
               subject.ready(stage.deadline("READY of the program", start_time)));
    if (ready.rfind("SKIP ", 0) == 0) {
        stage.judge.skip(ready.substr(5));
        return tl::unexpected(Error{ErrorKind::aborted, "skipped", {}, {}, 0});
    }
    MOSRIG_CHECK(stage.require("the program is READY", ready == "READY", ready));

    std::unique_ptr<Program> watcher;
    if (!run.watcher.empty()) {
        StartOptions options;
        options.environment = {"PID=" + number(subject.pid())};
        MOSRIG_TRY(watcher, stage.home().start({"sh", "-c", run.watcher},
                                               stage.soon("the start of the watcher"), options));
    }
    std::string identity;
    bool identity_known = false;
    for (const Phase& phase : run.phases) {
        if (phase.manual == Answer::moves && !identity_known) {
            MOSRIG_TRY(identity, subject.ask("IDENTITY", stage.deadline("IDENTITY", answer_time)));
            // After FORK another process answers; from now on it stays the same.
            identity_known = phase.send.empty();
        }
        MOSRIG_CHECK(play_phase(stage, subject, phase, &phase == &description.decisive()));
    }
    if (identity_known) {
        MOSRIG_TRY(const std::string after,
                   subject.ask("IDENTITY", stage.deadline("IDENTITY", answer_time)));
        stage.check("pid, ppid, uid, cwd, hostname and environment are as before",
                    after == identity, after);
    }
    for (const Proof proof : first ? description.proofs : std::vector<Proof>()) {
        if (proof == Proof::away_time) {
            const bool cpu_time = std::count(description.proofs.begin(), description.proofs.end(),
                                             Proof::cpu_time) != 0;
            MOSRIG_CHECK(prove_away_time(stage, subject, cpu_time));
        } else if (proof == Proof::demand_paging) {
            prove_demand_paging(stage);
        }
    }
    const std::vector<std::string> words = subject.words();
    MOSRIG_TRY(const int status,
               subject.finish(stage.deadline("the end of the program", answer_time)));
    stage.check("the program ends with status 0", status == 0, number(status));
    return compare_with_still(stage, run, subject, words);
}

}  // namespace

Result<ProcessState> expect_before_request(Stage& stage, std::int64_t pid, const Phase& phase) {
    MOSRIG_TRY(ProcessState state,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    stage.check(fmt::format("cantmove is {} before any request", join_words(phase.cantmove)),
                state.cantmove == phase.cantmove, join_words(state.cantmove));
    stage.check(fmt::format("lock is {}", phase.lock), state.lock == phase.lock,
                number(state.lock));
    stage.check("it is at home", state.where == 0, number(state.where));
    return state;
}

Result<void> expect_refusal(Stage& stage, std::int64_t pid, const Phase& phase) {
    const int guest = stage.guest().id();
    MOSRIG_TRY(const ProcessState before,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    MOSRIG_TRY(const MoveAnswer tool, request_by_tool(stage.home(), pid, guest, phase.user,
                                                      stage.deadline("migrate", Millis(5000))));
    stage.result.seen = tool.seen;
    stage.result.errno_name = tool.errno_name;
    stage.result.message = tool.message;
    stage.check(fmt::format("migrate is refused with {}", phase.errno_name),
                tool.seen == Answer::refused && tool.errno_name == phase.errno_name, tool.message);
    if (phase.errno_name == "EBUSY") {
        const bool named = std::all_of(phase.cantmove.begin(), phase.cantmove.end(),
                                       [&tool](const std::string& word) {
                                           return tool.message.find(word) != std::string::npos;
                                       });
        stage.check("migrate's message names the reason", named, tool.message);
    }
    MOSRIG_TRY(const MoveAnswer file, request_by_file(stage.home(), pid, guest, phase.user,
                                                      stage.soon("a write to goto")));
    stage.check(fmt::format("a write to goto gives {}", phase.errno_name),
                file.seen == Answer::refused && file.errno_name == phase.errno_name,
                file.errno_name);
    MOSRIG_TRY(const ProcessState after,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    stage.check(
        "it stayed at home and nothing is pending",
        after.where == 0 && after.pending == 0 && after.nmigs == before.nmigs,
        fmt::format("where {}, goto {}, nmigs {}", after.where, after.pending, after.nmigs));
    stage.check("lock and cantmove are as before",
                after.lock == before.lock && after.cantmove == before.cantmove,
                fmt::format("{}, {}", after.lock, join_words(after.cantmove)));
    return {};
}

Result<ProcessState> move_to(Stage& stage, std::int64_t pid, int node, int user, bool by_tool) {
    const std::string target = node == 0 ? "home" : fmt::format("node {}", node);
    const Deadline deadline = stage.deadline("the move to " + target, move_time);
    Result<MoveAnswer> answer = by_tool ? request_by_tool(stage.home(), pid, node, user, deadline)
                                        : request_by_file(stage.home(), pid, node, user, deadline);
    if (!answer) {
        return tl::unexpected(answer.error());
    }
    MOSRIG_CHECK(stage.require(fmt::format("it may move to {}", target),
                               answer->seen == Answer::moves,
                               answer->errno_name + " " + answer->message));
    MOSRIG_TRY(ProcessState state, await_place(stage.home(), pid, node, deadline));
    for (Machine* machine : stage.machines()) {
        const int expected = node != 0 && machine->id() == node ? 1 : 0;
        int bodies = -1;
        // The body ends a moment after home said that all has come home.
        const Result<void> settled =
            wait_until(stage.soon("the bodies on " + machine->name()), [&]() -> Result<bool> {
                MOSRIG_TRY(bodies, count_bodies(stage, *machine, pid));
                return bodies == expected;
            });
        // A list that never came says nothing about the bodies.
        if (!settled && (settled.error().kind != ErrorKind::timeout || bodies < 0)) {
            return tl::unexpected(settled.error());
        }
        if (bodies != expected || expected == 1) {
            stage.check(
                fmt::format("exactly one copy lives: {} has {} of it", machine->name(), expected),
                bodies == expected, number(bodies));
        }
    }
    return state;
}

Result<void> expect_intact(Stage& stage, Subject& subject, const std::string& when) {
    MOSRIG_TRY(const std::string answer,
               subject.ask("VERIFY", stage.deadline("VERIFY, " + when, answer_time)));
    return stage.require(fmt::format("its data are intact, {}", when), answer == "OK", answer);
}

Result<void> play_phases(Stage& stage, const Description& description) {
    bool first = true;
    for (const Run& run : description.runs) {
        MOSRIG_CHECK(play_run(stage, description, run, first));
        first = false;
    }
    return {};
}

}  // namespace mosrig
