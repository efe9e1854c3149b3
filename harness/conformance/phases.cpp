// SPDX-License-Identifier: MIT
//
// The procedure of most cases: a workload that speaks the contract goes through its phases.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "harness/conformance/booted.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis start_time(10000);
// A word may ask for something that takes as long as a timer runs.
constexpr Millis answer_time(60000);

// A child that the program only now makes is waited for.
Result<std::int64_t> child_of(Stage& stage, std::int64_t pid) {
    std::int64_t child = 0;
    MOSRIG_CHECK(wait_until(stage.soon("a child of the program"), [&]() -> Result<bool> {
        MOSRIG_TRY(const std::vector<TaskStat> tasks,
                   list_tasks(stage.home(), stage.soon("the list of processes")));
        const auto found = std::find_if(tasks.begin(), tasks.end(),
                                        [&](const TaskStat& task) { return task.ppid == pid; });
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
                                           std::to_string(*phase.set_lock),
                                           stage.soon("a write to lock"), phase.user));
        const std::string seen = error == 0 ? "" : errno_name(error);
        stage.check(phase.lock_errno.empty()
                        ? fmt::format("writing {} to lock succeeds", *phase.set_lock)
                        : fmt::format("writing {} to lock as user {} gives {}", *phase.set_lock,
                                      phase.user, phase.lock_errno),
                    seen == phase.lock_errno, seen);
    }
    if (!phase.send.empty()) {
        MOSRIG_CHECK(send_word(stage, subject, phase.send, answer_time));
    }
    return {};
}

Result<void> play_phase(Stage& stage, Subject& subject, const Phase& phase, bool shown) {
    MOSRIG_CHECK(begin_phase(stage, subject, phase));
    MOSRIG_TRY(const std::int64_t pid, find_pid(stage, subject, phase));
    MOSRIG_TRY(const ProcessState state, expect_before_request(stage, pid, phase));
    if (shown) {
        show(stage.result, state);
    }
    // Of one that is refused it is asked with the refusal.
    if (!phase.moswhy.empty() && phase.manual != Answer::refused) {
        MOSRIG_CHECK(expect_explanation(stage, pid, phase));
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
    std::optional<std::int64_t> companion;
    const int other = stage.machines().back()->id();
    if (phase.companion) {
        MOSRIG_TRY(companion, child_of(stage, pid));
        MOSRIG_CHECK(move_to(stage, *companion, other, phase.user, true));
    }
    for (int turn = 0; turn < phase.times; ++turn) {
        MOSRIG_CHECK(move_out_and_home(stage, subject, pid, phase, turn == 0, shown));
    }
    if (companion) {
        MOSRIG_TRY(const ProcessState after,
                   read_process(stage.home(), *companion, stage.soon("the child's state")));
        stage.check("its child was away all the time",
                    phase.ends != Ends::away || after.where == other,
                    fmt::format("where {}", after.where));
        const bool apart = after.where != stage.guest().id();
        stage.check(apart ? "it and its child were away on different nodes"
                          : "it and its child were away on one node, for want of a third",
                    apart || stage.machines().size() < 3,
                    fmt::format("node {} and node {}", stage.guest().id(), after.where));
        MOSRIG_CHECK(move_to(stage, *companion, 0, phase.user, false));
        return expect_intact(stage, subject, "all at home again");
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
    MOSRIG_CHECK(need_programs(stage, run.needs));
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    std::vector<Subject> elsewhere;
    if (description.proves(Proof::memory_options)) {
        MOSRIG_TRY(elsewhere, prove_memory_options(stage, run));
    }
    std::unique_ptr<Program> watcher;
    if (!run.watcher.empty()) {
        StartOptions options;
        options.environment = {"PID=" + std::to_string(subject.pid())};
        MOSRIG_TRY(watcher, stage.home().start({"sh", "-c", run.watcher},
                                               stage.soon("the start of the watcher"), options));
    }
    std::string identity;
    bool identity_known = false;
    for (const Phase& phase : run.phases) {
        if (phase.manual == Answer::moves && !identity_known) {
            MOSRIG_TRY(identity, subject.ask("IDENTITY", stage.deadline("IDENTITY", answer_time)));
            // After FORK another process answers; from now on it stays the same, if it lives.
            identity_known = phase.send.empty() && phase.ends != Ends::gone;
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
            MOSRIG_CHECK(prove_away_time(stage, subject, description.proves(Proof::cpu_time)));
        } else if (proof == Proof::cpu_time && !description.decisive().route.empty()) {
            MOSRIG_CHECK(prove_cpu_time_onward(stage, subject, description.decisive().route));
        } else if (proof == Proof::demand_paging) {
            prove_demand_paging(stage);
        }
    }
    if (watcher != nullptr) {
        const Result<ProcessState> state =
            read_process(stage.home(), watcher->pid(), stage.soon("the state of the watcher"));
        stage.check("whoever reads its files has read them to the end",
                    state && state->stat.state != 'Z',
                    state ? "it has ended" : state.error().message());
    }
    const std::vector<std::string> words = subject.words();
    MOSRIG_TRY(const int status,
               subject.finish(stage.deadline("the end of the program", answer_time)));
    stage.check("the program ends with status 0", status == 0, std::to_string(status));
    return compare_with_still(stage, run, subject, words);
}

}  // namespace

Result<void> send_word(Stage& stage, Subject& subject, const std::string& word, Millis nominal) {
    MOSRIG_TRY(const std::string answer,
               subject.ask(word, stage.deadline("an answer to " + word, nominal)));
    return stage.require(word + " is done", answer == "OK" || answer == "READY", answer);
}

Result<std::int64_t> find_pid(Stage& stage, const Subject& subject, const Phase& phase) {
    std::int64_t pid = subject.pid();
    for (int below = static_cast<int>(phase.who); below > 0; --below) {
        MOSRIG_TRY(pid, child_of(stage, pid));
    }
    return pid;
}

Result<Subject> start_subject(Stage& stage, const Run& run) {
    if (run.origin == Origin::boot_script) {
        return start_from_boot_script(stage, run);
    }
    MOSRIG_TRY(Subject subject,
               Subject::start(stage.home(), resolve_command(run.command), run.user,
                              workload_environment(), stage.soon("the start of the program")));
    MOSRIG_TRY(const std::string ready,
               subject.ready(stage.deadline("READY of the program", start_time)));
    if (ready.rfind("SKIP ", 0) == 0) {
        return stage.skip(ready.substr(5));
    }
    MOSRIG_CHECK(stage.require("the program is READY", ready == "READY", ready));
    return subject;
}

Result<void> expect_as_stated(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState state,
               expect_before_request(stage, subject.pid(), run.phases.front()));
    show(stage.result, state);
    return subject.program().kill(stage.soon("its end"));
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
