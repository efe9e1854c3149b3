// SPDX-License-Identifier: MIT
#include "harness/conformance/requests_amid.h"

#include <fmt/format.h>

#include <csignal>
#include <functional>

#include "harness/conformance/fault_point.h"
#include "harness/conformance/visits.h"

namespace mosrig {

Result<void> expect_goto_answer(Stage& stage, std::int64_t pid, const std::string& text,
                                const std::string& error) {
    MOSRIG_TRY(const int seen, stage.home().write_file(fmt::format("/proc/{}/goto", pid), text,
                                                       stage.soon("a write to goto"), 0));
    const std::string name = seen == 0 ? "" : errno_name(seen);
    stage.check(
        fmt::format("writing '{}' to goto gives {}", text, error.empty() ? "no error" : error),
        name == error, name);
    return {};
}

namespace {

// What holds it as it is about to leave may be gone when somebody asks: the word of it stays.
Result<void> hold_at_the_door(Stage& stage, const std::string& kind, const std::string& reason) {
    Run run;
    run.command = {"stay", kind, "--later"};
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    const std::int64_t pid = subject.pid();
    const Deadline deadline = stage.deadline("a refusal", request_time);
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "send:ready:hold"));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, std::to_string(stage.guest().id()), ""));
    MOSRIG_CHECK(await_fault(stage, stage.guest()));
    MOSRIG_TRY(const std::string held, subject.ask("HOLD", deadline));
    MOSRIG_CHECK(stage.require(kind + " while its stub is made", held == "OK", held));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "none"));
    ProcessState state;
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(state, read_process(stage.home(), pid, deadline));
        return state.pending == 0;
    }));
    MOSRIG_TRY(const std::string released, subject.ask("RELEASE", deadline));
    MOSRIG_TRY(state, read_process(stage.home(), pid, deadline));
    stage.check("it stays, and the reason is told when it holds no more",
                released == "OK" && state.where == 0 && state.nmigs == 0 &&
                    state.cantmove.empty() && state.migstat.text("errno") == "16" &&
                    home_reason(state) == "reason:" + reason,
                fmt::format("where {}, errno {}, home_reason {}", state.where,
                            state.migstat.text("errno"), home_reason(state)));
    MOSRIG_CHECK(expect_intact(stage, subject, "refused at the last moment"));
    return subject.program().kill(deadline);
}

// A limit that somebody sets while the stub is made is the one that the process has there.
Result<void> limit_at_the_door(Stage& stage, Subject& subject) {
    const std::int64_t pid = subject.pid();
    const Deadline deadline = stage.deadline("a limit amid a move", request_time);
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "send:ready:hold"));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, std::to_string(stage.guest().id()), ""));
    MOSRIG_CHECK(await_fault(stage, stage.guest()));
    MOSRIG_TRY(const CommandResult set,
               stage.home().run({"prlimit", "--pid", std::to_string(pid), "--stack=4194304"},
                                deadline, 0));
    MOSRIG_CHECK(stage.require("its stack is limited", set.ok(), set.err));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "none"));
    MOSRIG_CHECK(await_place(stage.home(), pid, stage.guest().id(), deadline));
    // A call finds out whether both sides mean the same limit.
    MOSRIG_CHECK(expect_intact(stage, subject, "with a limit that is new"));
    MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
    stage.check("it need not come home for that limit", state.where == stage.guest().id(),
                fmt::format("where {}, home_reason {}", state.where, home_reason(state)));
    MOSRIG_CHECK(move_to(stage, pid, 0, 0, false));
    return {};
}

// Asks a program that gives each line back to move, and lets it go on while its stub is made: until
// the fault is disarmed, the stub does not get ready.
Result<void> hold_its_stub(Stage& stage, Program& program, const Deadline& deadline) {
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "send:ready:hold"));
    MOSRIG_CHECK(expect_goto_answer(stage, program.pid(), std::to_string(stage.guest().id()), ""));
    MOSRIG_CHECK(program.write_line("one", deadline));
    MOSRIG_CHECK(await_fault(stage, stage.guest()));
    MOSRIG_TRY(const std::optional<std::string> one, program.read_line(deadline));
    return stage.require("it goes on while its stub is made", one == "one", one.value_or("(end)"));
}

// A program that waits for its next line, after it was asked to move and while its stub is made.
Result<std::unique_ptr<Program>> begin_asleep(Stage& stage, const Deadline& deadline) {
    MOSRIG_TRY(std::unique_ptr<Program> sleeper,
               stage.home().start({"cat"}, stage.soon("a program that waits"), StartOptions{}));
    MOSRIG_CHECK(hold_its_stub(stage, *sleeper, deadline));
    MOSRIG_CHECK(await_asleep(stage, sleeper->pid(), deadline));
    return sleeper;
}

// Each line lets it go on: with one it begins to leave, with a later one its stub is ready. Gives
// what it is as soon as that is so, or in the end.
Result<ProcessState> feed_until(Stage& stage, Program& sleeper, const Deadline& deadline,
                                const std::function<bool(const ProcessState&)>& is_so) {
    ProcessState state;
    const Result<bool> done = comes_true(deadline, [&]() -> Result<bool> {
        MOSRIG_CHECK(sleeper.write_line("more", deadline));
        MOSRIG_TRY(const std::optional<std::string> more, sleeper.read_line(deadline));
        MOSRIG_CHECK(
            stage.require("it passes on its lines", more == "more", more.value_or("(end)")));
        MOSRIG_TRY(state, read_process(stage.home(), sleeper.pid(), deadline));
        return is_so(state);
    });
    MOSRIG_CHECK(done);
    return state;
}

// Taken back while it sleeps and its stub is made; then another is asked for.
Result<void> change_the_target(Stage& stage) {
    const Deadline deadline = stage.deadline("a request in the place of another", request_time);
    MOSRIG_TRY(const std::unique_ptr<Program> sleeper, begin_asleep(stage, deadline));
    const std::int64_t pid = sleeper->pid();
    MOSRIG_CHECK(expect_goto_answer(stage, pid, "home", ""));
    const int other = stage.machines().back()->id();
    MOSRIG_CHECK(expect_goto_answer(stage, pid, std::to_string(other), ""));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "none"));
    MOSRIG_TRY(
        const ProcessState state,
        feed_until(stage, *sleeper, deadline, [&](const auto& now) { return now.where == other; }));
    stage.check("it is where it was asked to be last", state.where == other,
                std::to_string(state.where));
    return sleeper->kill(deadline);
}

// Taken back as well; then what it executes next is to begin elsewhere. It is awake in between.
Result<void> execute_elsewhere_instead(Stage& stage) {
    MOSRIG_TRY(const std::unique_ptr<Program> shell,
               stage.home().start({"sh", "-c", "read one; echo $one; read two; exec /bin/cat"},
                                  stage.soon("a shell that waits"), StartOptions{}));
    const std::int64_t pid = shell->pid();
    const Deadline deadline = stage.deadline("a request for what comes next", request_time);
    MOSRIG_CHECK(hold_its_stub(stage, *shell, deadline));
    const int other = stage.machines().back()->id();
    MOSRIG_CHECK(expect_goto_answer(stage, pid, "home", ""));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, fmt::format("exec {}", other), ""));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "none"));
    MOSRIG_CHECK(shell->write_line("two", deadline));
    MOSRIG_TRY(const ProcessState state, await_place(stage.home(), pid, other, deadline));
    stage.check("what it executes begins there", state.where == other && state.stat.comm == "cat",
                fmt::format("{} on {}", state.stat.comm, state.where));
    MOSRIG_CHECK(shell->write_line("three", deadline));
    MOSRIG_TRY(const std::optional<std::string> three, shell->read_line(deadline));
    stage.check("and passes on its lines", three == "three", three.value_or("(end)"));
    return shell->kill(deadline);
}

// Its stub gets ready while it sleeps, and ends before it wakes: there is nothing to leave for.
Result<void> lose_a_ready_stub(Stage& stage) {
    const Deadline deadline = stage.deadline("a stub that ends", request_time);
    MOSRIG_TRY(const std::unique_ptr<Program> sleeper, begin_asleep(stage, deadline));
    const std::int64_t pid = sleeper->pid();
    MOSRIG_TRY(const std::int64_t stub, find_body(stage, stage.guest(), pid));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "none"));
    // It has said so when it waits for the process.
    const std::string place = fmt::format("/proc/{}/wchan", stub);
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const auto within, stage.guest().read_files({place}, deadline));
        return within.front() && within.front()->find("om_link_recv") != std::string::npos;
    }));
    // Nobody may signal it: what takes it is the OOM killer.
    const std::string kill =
        fmt::format("echo 1000 >/proc/{}/oom_score_adj && echo f >/proc/sysrq-trigger", stub);
    MOSRIG_TRY(const CommandResult killed, stage.guest().run({"sh", "-c", kill}, deadline, 0));
    MOSRIG_CHECK(stage.require("its stub is killed", killed.ok(), killed.err));
    MOSRIG_CHECK(await_bodies(stage, stage.guest(), pid, 0, deadline));
    MOSRIG_CHECK(sleeper->write_line("two", deadline));
    MOSRIG_TRY(const std::optional<std::string> two, sleeper->read_line(deadline));
    MOSRIG_CHECK(
        stage.require("it lives on without its stub", two == "two", two.value_or("(end)")));
    // It may be asleep again before it looks at its link once more.
    MOSRIG_TRY(const ProcessState state, feed_until(stage, *sleeper, deadline, [](const auto& now) {
                   return now.pending == 0;
               }));
    stage.check("and the request has failed",
                state.where == 0 && state.pending == 0 && state.migstat.text("errno") == "11",
                fmt::format("where {}, pending {}, errno {}", state.where, state.pending,
                            state.migstat.text("errno")));
    return sleeper->kill(deadline);
}

// On its way from one node to the next it can no longer stay on the first: who tries is told.
Result<void> stay_amid_a_hop(Stage& stage, Subject& subject) {
    const std::int64_t pid = subject.pid();
    Machine& next = *stage.machines().back();
    MOSRIG_CHECK(move_to(stage, pid, stage.guest().id(), 0, false));
    MOSRIG_CHECK(arm_fault(stage, next, "recv:commit:hold"));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, std::to_string(next.id()), ""));
    MOSRIG_CHECK(await_fault(stage, next));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, std::to_string(stage.guest().id()), "EALREADY"));
    MOSRIG_CHECK(arm_fault(stage, next, "none"));
    MOSRIG_TRY(const ProcessState state,
               await_place(stage.home(), pid, next.id(),
                           stage.deadline("the way from node to node", request_time)));
    stage.check("it goes on", state.where == next.id(), std::to_string(state.where));
    MOSRIG_CHECK(expect_intact(stage, subject, "on the second node"));
    return move_to(stage, pid, 0, 0, false).map([](const ProcessState&) {});
}

// Once its body has been called, that is not taken back: who tries is told.
Result<void> stay_too_late(Stage& stage, Subject& subject) {
    const std::int64_t pid = subject.pid();
    MOSRIG_CHECK(move_to(stage, pid, stage.guest().id(), 0, false));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "recv:recall:hold"));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, "home", ""));
    MOSRIG_CHECK(await_fault(stage, stage.guest()));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, std::to_string(stage.guest().id()), "EALREADY"));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "none"));
    MOSRIG_TRY(const ProcessState state,
               await_place(stage.home(), pid, 0, stage.deadline("the way home", request_time)));
    stage.check("the first is carried out", state.where == 0, std::to_string(state.where));
    return expect_intact(stage, subject, "called home, and not asked to stay");
}

// Two in one instant: the first is kept.
Result<void> ask_twice(Stage& stage, Subject& subject) {
    const std::int64_t pid = subject.pid();
    MOSRIG_CHECK(arm_fault(stage, stage.home(), "send:commit:hold"));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, std::to_string(stage.guest().id()), ""));
    MOSRIG_CHECK(await_fault(stage, stage.home()));
    MOSRIG_CHECK(
        expect_goto_answer(stage, pid, std::to_string(stage.machines().back()->id()), "EALREADY"));
    MOSRIG_TRY(ProcessState state, read_process(stage.home(), pid, stage.soon("its state")));
    stage.check("the first is kept", state.pending == stage.guest().id(),
                std::to_string(state.pending));
    MOSRIG_CHECK(arm_fault(stage, stage.home(), "none"));
    MOSRIG_TRY(state, await_place(stage.home(), pid, stage.guest().id(),
                                  stage.deadline("the first request", request_time)));
    stage.check("the first is carried out", state.where == stage.guest().id() && state.nmigs == 1,
                fmt::format("where {}, nmigs {}", state.where, state.nmigs));
    MOSRIG_CHECK(expect_intact(stage, subject, "away"));
    MOSRIG_CHECK(move_to(stage, pid, 0, 0, false));
    return expect_intact(stage, subject, "home again");
}

}  // namespace

Result<void> ask_amid_a_move(Stage& stage, Subject& subject) {
    MOSRIG_CHECK(hold_at_the_door(stage, "mlockall", "mem_lock"));
    MOSRIG_CHECK(hold_at_the_door(stage, "clone-vm", "clone_vm"));
    for (const Moment& moment : {as_it_leaves(stage), as_it_is_called(stage)}) {
        MOSRIG_CHECK(visit_at_the_door(stage, "visited", moment, "ptrace"));
        MOSRIG_CHECK(visit_at_the_door(stage, "watched", moment, "monkey"));
    }
    MOSRIG_CHECK(visit_before_it_leaves(stage, "visited"));
    MOSRIG_CHECK(visit_before_it_leaves(stage, "watched"));
    MOSRIG_CHECK(visit_the_dying(stage));
    MOSRIG_CHECK(ask_twice(stage, subject));
    MOSRIG_CHECK(limit_at_the_door(stage, subject));
    MOSRIG_CHECK(change_the_target(stage));
    MOSRIG_CHECK(execute_elsewhere_instead(stage));
    MOSRIG_CHECK(lose_a_ready_stub(stage));
    MOSRIG_CHECK(stay_amid_a_hop(stage, subject));
    return stay_too_late(stage, subject);
}

}  // namespace mosrig
