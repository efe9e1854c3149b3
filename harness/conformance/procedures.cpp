// SPDX-License-Identifier: MIT
//
// The procedures of cases that are no workload of the contract, or that do not end as one.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "harness/conformance/printed.h"
#include "harness/conformance/stage.h"
#include "harness/conformance/wording.h"

namespace mosrig {

namespace {

constexpr Millis run_time(60000);

int occurrences(const std::vector<std::string>& lines, const std::string& text) {
    int count = 0;
    for (const std::string& line : lines) {
        for (size_t at = line.find(text); at != std::string::npos;
             at = line.find(text, at + text.size())) {
            ++count;
        }
    }
    return count;
}

Result<void> play_stalled_run(Stage& stage, const Run& run) {
    StartOptions options;
    options.environment = workload_environment();
    options.directory = std::string("/");
    MOSRIG_TRY(const std::unique_ptr<Program> stall,
               stage.home().start(resolve_command(run.command), stage.soon("the start"), options));
    const Deadline patience = stage.deadline("the program's first output", run_time);
    MOSRIG_TRY(const std::optional<std::string> line, stall->read_line(patience));
    MOSRIG_CHECK(stage.require("the program was started", line && line->rfind("PID ", 0) == 0,
                               line.value_or("no line")));
    const std::int64_t pid = std::stoll(line->substr(4));

    const Phase& phase = run.phases.front();
    // The program runs until it blocks at its output: only then it is what it is going to be.
    ProcessState state;
    MOSRIG_CHECK(comes_true(patience, [&]() -> Result<bool> {
        MOSRIG_TRY(state, read_process(stage.home(), pid, patience));
        return state.stat.state == 'S' && state.stat.comm != "stall" &&
               state.cantmove == phase.cantmove;
    }));
    MOSRIG_TRY(state, expect_before_request(stage, pid, phase));
    show(stage.result, state);
    if (phase.manual == Answer::refused) {
        MOSRIG_CHECK(expect_refusal(stage, pid, phase));
    }
    MOSRIG_TRY(state, read_process(stage.home(), pid, stage.soon("its state")));
    stage.check("nmigs is 0", state.nmigs == 0, std::to_string(state.nmigs));

    MOSRIG_CHECK(stall->write_line("DRAIN", patience));
    MOSRIG_TRY(const Printed printed, follow(*stall, patience));
    const std::vector<std::string>& lines = printed.lines;
    stage.check("it ends with status 0", printed.status == 0, std::to_string(printed.status));
    if (!run.output.empty()) {
        std::vector<std::string> masked;
        std::transform(lines.begin(), lines.end(), std::back_inserter(masked), mask_digits);
        stage.check("it printed what it should", masked == run.output,
                    lines.empty() ? "nothing" : lines.front());
    }
    for (const auto& [text, count] : run.output_count) {
        const int seen = occurrences(lines, text);
        stage.check(fmt::format("'{}' is printed {} times", text, count), seen == count,
                    std::to_string(seen));
    }
    return {};
}

// Makes the shell that looks for it end.
constexpr const char* stop_file = "/tmp/mosrig-stop";
constexpr long for_ever = -1;

// A shell script that makes so many steps, or looks for `stop_file`.
Result<std::unique_ptr<Program>> start_script(Stage& stage, const Run& run, long steps) {
    MOSRIG_TRY(const CommandResult removed,
               stage.home().run({"rm", "-f", stop_file}, stage.soon("the end of rm"), 0));
    MOSRIG_CHECK(
        stage.require("there is nothing yet to stop it", removed.status == 0, removed.err));
    StartOptions options;
    options.environment = {fmt::format("STEPS={}", steps), fmt::format("STOP={}", stop_file)};
    return stage.home().start(run.command, stage.soon("the start of the shell"), options);
}

// How many steps the script says that it made, in the line before its last.
long steps_made(const Printed& printed) {
    return printed.lines.size() < 2
               ? 0
               : std::strtol(printed.lines.at(printed.lines.size() - 2).c_str(), nullptr, 10);
}

}  // namespace

Result<void> play_stalled(Stage& stage, const Description& description) {
    for (const Run& run : description.runs) {
        MOSRIG_CHECK(play_stalled_run(stage, run));
    }
    return {};
}

Result<void> play_existing(Stage& stage, const Description& description) {
    const std::string& name = description.runs.front().command.front();
    const std::int64_t pid = name == "kthreadd" ? 2 : 1;
    const Phase& phase = description.runs.front().phases.front();
    MOSRIG_TRY(const ProcessState state, expect_before_request(stage, pid, phase));
    stage.check(fmt::format("process {} is {}", pid, name), state.stat.comm == name,
                state.stat.comm);
    show(stage.result, state);
    return expect_refusal(stage, pid, phase);
}

Result<void> play_kill(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    const Phase& phase = run.phases.front();
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    const std::int64_t pid = subject.pid();
    MOSRIG_CHECK(expect_before_request(stage, pid, phase));
    MOSRIG_TRY(const ProcessState away, move_to(stage, pid, stage.guest().id(), 0, true));
    stage.result.seen = Answer::moves;
    show(stage.result, away);
    MOSRIG_CHECK(expect_intact(stage, subject, "away"));

    const Clock::time_point killed = Clock::now();
    const auto since = [killed] {
        return std::chrono::duration<double>(Clock::now() - killed).count();
    };
    MOSRIG_TRY(const int error, stage.home().send_signal(pid, SIGKILL, stage.soon("kill -9")));
    MOSRIG_CHECK(stage.require("kill -9 at home is accepted", error == 0, errno_name(error)));
    MOSRIG_TRY(const int status, subject.program().wait(stage.deadline(
                                     "the end of the killed process", Millis(5000))));
    const double home_seconds = since();
    double body_seconds = 0;
    MOSRIG_CHECK(
        wait_until(stage.deadline("the end of the body", Millis(5000)), [&]() -> Result<bool> {
            // Stamped before the look: the list itself takes a while to come.
            body_seconds = since();
            MOSRIG_TRY(const int bodies, count_bodies(stage, stage.guest(), pid));
            return bodies == 0;
        }));
    stage.check("its status is that of signal 9", status == 128 + SIGKILL, std::to_string(status));
    stage.check("home ends within a second", home_seconds <= 1.0,
                fmt::format("{:.3f} s", home_seconds));
    stage.check("the body ends within a second", body_seconds <= 1.0,
                fmt::format("{:.3f} s", body_seconds));
    return {};
}

Result<void> play_script(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    const Phase& phase = run.phases.front();
    MOSRIG_TRY(const std::unique_ptr<Program> program, start_script(stage, run, for_ever));
    const std::int64_t pid = program->pid();
    MOSRIG_CHECK(expect_before_request(stage, pid, phase));
    bool shown = false;
    for (int turn = 0; turn < phase.times; ++turn) {
        MOSRIG_TRY(const ProcessState away, move_to(stage, pid, stage.guest().id(), 0, true));
        if (!shown) {
            stage.result.seen = Answer::moves;
            show(stage.result, away);
            shown = true;
        }
        MOSRIG_TRY(const ProcessState home, move_to(stage, pid, 0, 0, true));
        stage.result.nmigs = home.nmigs;
    }
    stage.check(
        fmt::format("nmigs is {} after {} moves out and home", 2 * phase.times, phase.times),
        stage.result.nmigs == 2 * phase.times, std::to_string(stage.result.nmigs.value_or(-1)));
    MOSRIG_TRY(const CommandResult told,
               stage.home().run({"touch", stop_file}, stage.soon("the end of touch"), 0));
    MOSRIG_CHECK(stage.require("it is told to stop", told.status == 0, told.err));
    MOSRIG_TRY(const Printed moved,
               follow(*program, stage.deadline("the end of the shell", run_time)));
    const long steps = steps_made(moved);
    MOSRIG_CHECK(stage.require("it says how far it came", steps > 0, std::to_string(steps)));
    MOSRIG_TRY(const std::unique_ptr<Program> again, start_script(stage, run, steps));
    MOSRIG_TRY(const Printed still,
               follow(*again, stage.deadline("the shell's still run", run_time)));
    expect_same(stage, still, moved);
    return {};
}

}  // namespace mosrig
