// SPDX-License-Identifier: MIT
#include "harness/conformance/aftermath.h"

#include <fmt/format.h>

#include <csignal>
#include <map>
#include <optional>
#include <utility>

#include "harness/conformance/fault_point.h"

namespace mosrig {

namespace {

// The process as its home has it; nothing if it is dead.
Result<std::optional<ProcessState>> read_living(Stage& stage, std::int64_t pid) {
    Result<ProcessState> state =
        read_process(stage.home(), pid, stage.soon("the process after the failure"));
    if (!state && state.error().sys_errno == 0) {
        return tl::unexpected(state.error());
    }
    if (!state || state->stat.state == 'Z') {
        return std::nullopt;
    }
    return std::move(*state);
}

// Where the process and its bodies are, at one look. A call that is under way may still change it.
Result<Outcome> look(Stage& stage, std::int64_t pid, const Machines& machines) {
    std::map<int, int> bodies;
    int all = 0;
    for (Machine* machine : machines) {
        MOSRIG_TRY(const int there, count_bodies(stage, *machine, pid));
        bodies[machine->id()] = there;
        all += there;
    }
    MOSRIG_TRY(const std::optional<ProcessState> state, read_living(stage, pid));
    if (!state || state->where == 0) {
        const Outcome without_body = state ? Outcome::at_home : Outcome::dead;
        return all == 0 ? without_body : Outcome::unclear;
    }
    return all == 1 && bodies[state->where] == 1 ? Outcome::away : Outcome::unclear;
}

}  // namespace

const char* to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::at_home:
            return "alive at home";
        case Outcome::away:
            return "alive away";
        case Outcome::dead:
            return "dead";
        case Outcome::unclear:
            return "neither dead nor alive and answering in one place";
    }
    return "?";
}

Result<bool> is_dead(Stage& stage, std::int64_t pid) {
    MOSRIG_TRY(const std::optional<ProcessState> state, read_living(stage, pid));
    return !state.has_value();
}

Result<Settled> settle(Stage& stage, Subject& subject, Machines machines) {
    if (machines.empty()) {
        machines = stage.machines();
    }
    Settled settled;
    // Home and guest each give a silent link 15 s.
    const Deadline deadline = stage.deadline("what becomes of the process", Millis(40000));
    const Result<std::string> answer = subject.ask("VERIFY", deadline);
    settled.answered = Clock::now();
    const bool lives = answer.has_value();
    stage.check("its data are intact, or it is dead", !lives || *answer == "OK",
                lives ? *answer : "");
    Outcome outcome = Outcome::unclear;
    MOSRIG_TRY(const bool clear, comes_true(deadline, [&]() -> Result<bool> {
                   MOSRIG_TRY(outcome, look(stage, subject.pid(), machines));
                   return outcome != Outcome::unclear && (outcome == Outcome::dead) == !lives;
               }));
    // One that is there and does not answer hangs.
    settled.outcome = clear ? outcome : Outcome::unclear;
    settled.clear = Clock::now();
    return settled;
}

Result<Clock::time_point> expect_killed(Stage& stage, Subject& subject, const Deadline& deadline) {
    MOSRIG_TRY(const int status, subject.program().wait(deadline));
    const Clock::time_point learnt = Clock::now();
    stage.check("its death is reported as that of signal 9", status == 128 + SIGKILL,
                std::to_string(status));
    return learnt;
}

Result<void> end(Stage& stage, Subject& subject, Outcome outcome) {
    if (outcome == Outcome::dead) {
        MOSRIG_CHECK(expect_killed(stage, subject, stage.soon("the status of the dead")));
        return {};
    }
    MOSRIG_CHECK(subject.program().kill(stage.soon("the end of the program")));
    return {};
}

Result<void> expect_loss_logged(Stage& stage, std::int64_t pid) {
    const std::string report = fmt::format("process {} died with its body", pid);
    MOSRIG_TRY(const CommandResult log,
               stage.home().run({"dmesg"}, stage.soon("the kernel's log"), 0));
    stage.check("home's log says whose body is lost", log.out.find(report) != std::string::npos,
                report);
    return {};
}

Result<Clock::time_point> expect_no_bodies(Stage& stage, std::int64_t pid) {
    const Deadline deadline = stage.deadline("the end of a body without a home", Millis(30000));
    for (Machine* machine : stage.machines()) {
        if (machine != &stage.home()) {
            MOSRIG_TRY(const int bodies, await_bodies(stage, *machine, pid, 0, deadline));
            stage.check("without its home, no body goes on on " + machine->name(), bodies == 0,
                        std::to_string(bodies));
        }
    }
    return Clock::now();
}

Result<void> expect_usable(Stage& stage, const Run& run, const std::string& when) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    MOSRIG_TRY(const ProcessState away,
               read_process(stage.home(), subject.pid(), stage.soon("the state of the process")));
    show(stage.result, away);
    MOSRIG_CHECK(expect_intact(stage, subject, "away " + when));
    MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, false));
    MOSRIG_CHECK(expect_intact(stage, subject, "home again " + when));
    // It is gone, and not only told to go, before anybody counts what is left.
    return subject.program().kill(stage.soon("the end of the program"));
}

Result<void> warm_up(Stage& stage, const Run& run, const std::string& when) {
    MOSRIG_CHECK(expect_usable(stage, run, when));
    return expect_usable(stage, run, when + ", once more");
}

}  // namespace mosrig
