// SPDX-License-Identifier: MIT
//
// What may be asked for, and what is answered to it: by the file, by the tool, by the process
// itself, twice at once, for a process or a node that is not there.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "harness/conformance/fault_point.h"
#include "harness/conformance/node_status.h"
#include "harness/conformance/requests_amid.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

Result<void> ask_for_nonsense(Stage& stage, Subject& subject) {
    for (const char* text : {"x", "-1", "", "2 3", "99999999999", "nowhere", "exec", "exec x"}) {
        MOSRIG_CHECK(expect_goto_answer(stage, subject.pid(), text, "EINVAL"));
    }
    MOSRIG_CHECK(expect_goto_answer(stage, subject.pid(), "31", "ENXIO"));
    // Where it is already, in each of the ways to say so.
    for (const char* text : {"0", "home", "1", " 1\n"}) {
        MOSRIG_CHECK(expect_goto_answer(stage, subject.pid(), text, ""));
    }
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subject.pid(), stage.soon("its state")));
    stage.check("none of this moved it", state.where == 0 && state.nmigs == 0 && state.pending == 0,
                fmt::format("where {}, nmigs {}", state.where, state.nmigs));
    return expect_intact(stage, subject, "after all that");
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// What the tool is asked, its status, and what it says: on standard error, and nothing else.
Result<void> ask_the_tool(Stage& stage, Subject& subject) {
    struct Question {
        std::vector<std::string> argv;
        int status;
        std::vector<std::string> words;
    };
    const std::string pid = std::to_string(subject.pid());
    const std::vector<Question> questions = {
        {{"migrate"}, 2, {"expected a PID and a node", "usage: migrate"}},
        {{"migrate", pid}, 2, {"expected a PID and a node", "usage: migrate"}},
        {{"migrate", "x", "2"}, 2, {"'x' is no process id", "usage: migrate"}},
        {{"migrate", "-t", "x", pid, "2"}, 2, {"'x' is no number of seconds", "usage: migrate"}},
        {{"migrate", pid, "nowhere"}, 1, {"ENXIO", "there is no node 'nowhere'"}},
        {{"migrate", pid, "31"}, 1, {pid + " to node 31", "ENXIO", "no such node is configured"}},
        {{"migrate", "999999", "2"}, 1, {"999999 to node 2", "ESRCH", "the process has ended"}},
        {{"migrate", pid, "home"}, 0, {}},
        {{"migrate", pid, "1"}, 0, {}},
    };
    for (const auto& [argv, status, wanted] : questions) {
        MOSRIG_TRY(const CommandResult seen,
                   stage.home().run(argv, stage.deadline("migrate", request_time), 0));
        std::string words;
        for (const std::string& word : argv) {
            words += (words.empty() ? "" : " ") + (word == pid ? "PID" : word);
        }
        const std::string said = fmt::format("{}: {}{}", seen.status, seen.out, seen.err);
        stage.check(fmt::format("'{}' ends with {}", words, status), seen.status == status, said);
        const bool all =
            std::all_of(wanted.begin(), wanted.end(),
                        [&seen](const std::string& part) { return contains(seen.err, part); });
        stage.check(fmt::format("'{}' {}", words, wanted.empty() ? "says nothing" : "says why"),
                    all && seen.out.empty() && seen.err.empty() == wanted.empty(), said);
    }
    return {};
}

// Who waits for the tool cannot move before it ends: it says so, and that it is no failure.
Result<void> expect_queued(Stage& stage, Program& shell, const Deadline& deadline) {
    MOSRIG_TRY(const std::optional<std::string> said, shell.read_line(deadline));
    MOSRIG_TRY(const std::optional<std::string> status, shell.read_line(deadline));
    const std::string wanted =
        fmt::format("migrate: {} to node {}: queued, it moves when it goes on", shell.pid(),
                    stage.guest().id());
    stage.check("migrate says of its own ancestor that the request is queued", said == wanted,
                said.value_or("(end)"));
    return stage.require("and ends with 0", status == "status 0", status.value_or("(end)"));
}

// A process that asks for itself, by the file and by the tool.
Result<void> ask_for_oneself(Stage& stage) {
    const std::string here = fmt::format("{}", stage.guest().id());
    for (const std::string& script :
         {fmt::format("echo {} > /proc/self/goto; exec busy", here),
          fmt::format("migrate $$ {}; echo status $?; echo READY; while read x; do :; done",
                      here)}) {
        StartOptions options;
        options.environment = workload_environment();
        // The first has to be without a shell builtin's child: echo is one of the shell's own
        // words.
        const bool by_tool = script.rfind("migrate", 0) == 0;
        MOSRIG_TRY(const std::unique_ptr<Program> program,
                   stage.home().start({"sh", "-c", script}, stage.soon("a shell"), options));
        const Deadline deadline = stage.deadline("the shell's first word", request_time);
        if (by_tool) {
            MOSRIG_CHECK(expect_queued(stage, *program, deadline));
        }
        MOSRIG_TRY(const std::optional<std::string> line, program->read_line(deadline));
        MOSRIG_CHECK(stage.require("one that asks for itself goes on", line == "READY",
                                   line.value_or("(end)")));
        // It goes on while the other node prepares itself for it, perhaps to its next call that
        // sleeps: then it moves with the next line. Its next exec or fork brings it home again.
        ProcessState state;
        const Result<bool> moved = comes_true(deadline, [&]() -> Result<bool> {
            if (by_tool) {
                MOSRIG_CHECK(program->write_line("", deadline));
            }
            MOSRIG_TRY(state, read_process(stage.home(), program->pid(), deadline));
            return state.nmigs >= 1;
        });
        MOSRIG_CHECK(moved);
        stage.check(fmt::format("it moved, asked by {}", by_tool ? "the tool" : "the file"),
                    state.nmigs >= 1, fmt::format("nmigs {}", state.nmigs));
        MOSRIG_CHECK(program->kill(deadline));
    }
    return {};
}

// Asleep in a call that nothing interrupts: the request waits, is told of, and is taken back.
Result<void> ask_a_sleeper(Stage& stage) {
    MOSRIG_TRY(const std::unique_ptr<Program> sleeper,
               stage.home().start({"cat"}, stage.soon("a program that waits"), StartOptions{}));
    const std::int64_t pid = sleeper->pid();
    const Deadline deadline = stage.deadline("the sleeper", request_time);
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
        return state.stat.comm == "cat" && state.stat.state == 'S';
    }));
    const std::string guest = std::to_string(stage.guest().id());
    MOSRIG_TRY(const CommandResult tool,
               stage.home().run({"migrate", "-t", "1", std::to_string(pid), guest}, deadline, 0));
    // Some programs of that name copy without reading.
    stage.check(
        "migrate gives up with 4 and says in which call it sleeps",
        tool.status == 4 && tool.out.empty() &&
            contains(tool.err, fmt::format("migrate: {} to node {}: still pending after "
                                           "1 s, it sleeps in ",
                                           pid, guest)) &&
            (contains(tool.err, "sleeps in read;") || contains(tool.err, "sleeps in sendfile;")) &&
            contains(tool.err, "the request stays queued"),
        fmt::format("{}: {}{}", tool.status, tool.out, tool.err));
    MOSRIG_TRY(ProcessState state, read_process(stage.home(), pid, deadline));
    stage.check("the request stays queued", state.pending == stage.guest().id() && state.where == 0,
                fmt::format("goto {}, where {}", state.pending, state.where));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, guest, "EALREADY"));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, "0", ""));
    MOSRIG_TRY(state, read_process(stage.home(), pid, deadline));
    stage.check("written home, it is taken back", state.pending == 0,
                fmt::format("goto {}", state.pending));
    // It wakes, and stays.
    MOSRIG_CHECK(sleeper->write_line("one", deadline));
    MOSRIG_TRY(const std::optional<std::string> one, sleeper->read_line(deadline));
    MOSRIG_TRY(state, read_process(stage.home(), pid, deadline));
    stage.check("it wakes at home", one == "one" && state.nmigs == 0, std::to_string(state.nmigs));
    // Asked again, it goes at its next line, and is as quick as ever.
    MOSRIG_CHECK(expect_goto_answer(stage, pid, guest, ""));
    MOSRIG_CHECK(sleeper->write_line("two", deadline));
    MOSRIG_TRY(const std::optional<std::string> two, sleeper->read_line(deadline));
    stage.check("it passes on a line as it goes", two == "two", two.value_or("(end)"));
    MOSRIG_TRY(state, await_place(stage.home(), pid, stage.guest().id(), deadline));
    stage.check("one line was enough: it is there", state.where == stage.guest().id());
    MOSRIG_CHECK(sleeper->write_line("three", deadline));
    MOSRIG_TRY(const std::optional<std::string> three, sleeper->read_line(deadline));
    stage.check("it passes on a line from there", three == "three", three.value_or("(end)"));
    return sleeper->kill(deadline);
}

// By mosrun a program begins elsewhere, and locked: so does one that is asked to go as it becomes
// another program.
Result<void> begin_programs_elsewhere(Stage& stage, const Run& run) {
    const std::string guest = std::to_string(stage.guest().id());
    const Deadline deadline = stage.deadline("programs that begin elsewhere", request_time * 3);
    Run there = run;
    there.command.insert(there.command.begin(), {"mosrun", "-" + guest});
    MOSRIG_TRY(Subject started, start_subject(stage, there));
    MOSRIG_TRY(ProcessState state,
               await_place(stage.home(), started.pid(), stage.guest().id(), deadline));
    stage.check("mosrun -N starts it there, locked, by one move",
                state.where == stage.guest().id() && state.lock == 1 && state.nmigs == 1,
                fmt::format("where {}, lock {}, nmigs {}", state.where, state.lock, state.nmigs));
    MOSRIG_CHECK(expect_intact(stage, started, "begun elsewhere"));
    MOSRIG_CHECK(started.program().kill(deadline));

    there.command = {"family"};
    MOSRIG_TRY(Subject replaced, start_subject(stage, there));
    MOSRIG_CHECK(expect_goto_answer(stage, replaced.pid(), "exec " + guest, ""));
    MOSRIG_CHECK(expect_intact(stage, replaced, "before it becomes another program"));
    MOSRIG_TRY(state, read_process(stage.home(), replaced.pid(), deadline));
    stage.check("a request for its next program waits for that",
                state.where == 0 && state.nmigs == 0, fmt::format("where {}", state.where));
    MOSRIG_TRY(const std::string nothing, replaced.ask("EXEC_NOTHING", deadline));
    MOSRIG_TRY(state, read_process(stage.home(), replaced.pid(), deadline));
    stage.check("one that does not become another program is not asked any more",
                nothing == "OK" && state.pending == 0,
                fmt::format("{}, goto {}", nothing, state.pending));
    MOSRIG_CHECK(expect_goto_answer(stage, replaced.pid(), "exec " + guest, ""));
    MOSRIG_TRY(const std::string answer, replaced.ask("EXEC", deadline));
    MOSRIG_CHECK(stage.require("it becomes another program", answer == "READY", answer));
    MOSRIG_TRY(state, await_place(stage.home(), replaced.pid(), stage.guest().id(), deadline));
    stage.check("the next program is there", state.where == stage.guest().id() && state.lock == 0,
                fmt::format("where {}, lock {}", state.where, state.lock));
    MOSRIG_CHECK(expect_intact(stage, replaced, "as another program"));
    return replaced.program().kill(deadline);
}

// The first that others hear of a node that is started again is that it takes guests.
Result<void> expect_no_word_of_a_block(Stage& stage) {
    const std::string file = fmt::format("/proc/hpc/nodes/{}/load", stage.guest().id());
    const Deadline deadline = stage.deadline("word of the node's load", Millis(60000));
    int status = 0;
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const std::string load, stage.read_text(stage.home(), file));
        MOSRIG_TRY(status, read_node_status(stage, stage.home(), stage.guest().id()));
        return !load.starts_with('-');  // an error is shown until its first word
    }));
    stage.check("a node that is started again takes guests from its first word on",
                (status & node_takes_none) == 0, std::to_string(status));
    return {};
}

// A node that was stopped in order has lost nothing; its daemon does not run, so it is down for the
// others.
Result<void> ask_for_a_node_that_is_down(Stage& stage, Subject& subject) {
    const Deadline deadline = stage.deadline("the daemon of the other node", Millis(30000));
    const std::string guest = std::to_string(stage.guest().id());
    MOSRIG_CHECK(move_to(stage, subject.pid(), stage.guest().id(), 0, false));
    MOSRIG_TRY(const CommandResult stopped,
               stage.guest().run({"/etc/init.d/openmosix", "stop"}, deadline, 0));
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subject.pid(), stage.soon("the guest's state")));
    stage.check("a node that is stopped in order sends its guests home first",
                stopped.ok() && state.where == 0,
                fmt::format("where {}; {}{}", state.where, stopped.out, stopped.err));
    MOSRIG_CHECK(expect_intact(stage, subject, "sent home"));
    std::string seen;
    const Result<bool> down = comes_true(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const int error,
                   stage.home().write_file(fmt::format("/proc/{}/goto", subject.pid()), guest,
                                           deadline, 0));
        seen = error == 0 ? "no error" : errno_name(error);
        if (error == 0) {
            // Still up: it goes there, and is called back.
            MOSRIG_CHECK(await_place(stage.home(), subject.pid(), stage.guest().id(), deadline));
            MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, false));
        }
        return seen == "ENETUNREACH";
    });
    MOSRIG_CHECK(down);
    stage.check("a node that is down gives ENETUNREACH", seen == "ENETUNREACH", seen);
    MOSRIG_TRY(const CommandResult started,
               stage.guest().run({"/etc/init.d/openmosix", "start"}, deadline, 0));
    stage.check("a node that was stopped is started again", started.ok(),
                started.out + started.err);
    MOSRIG_CHECK(expect_no_word_of_a_block(stage));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    MOSRIG_CHECK(expect_intact(stage, subject, "away on the node that is up again"));
    MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, false));
    return {};
}

}  // namespace

Result<void> play_requests(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState state,
               expect_before_request(stage, subject.pid(), run.phases.front()));
    show(stage.result, state);
    MOSRIG_CHECK(ask_for_nonsense(stage, subject));
    MOSRIG_CHECK(ask_the_tool(stage, subject));
    MOSRIG_CHECK(ask_for_oneself(stage));
    MOSRIG_CHECK(ask_a_sleeper(stage));
    MOSRIG_CHECK(begin_programs_elsewhere(stage, run));
    MOSRIG_CHECK(ask_amid_a_move(stage, subject));
    MOSRIG_CHECK(ask_for_a_node_that_is_down(stage, subject));
    stage.result.seen = Answer::moves;
    MOSRIG_CHECK(subject.program().kill(stage.soon("its end")));
    MOSRIG_CHECK(subject.program().wait(stage.soon("its end")));
    MOSRIG_TRY(const int error,
               stage.home().write_file(fmt::format("/proc/{}/goto", subject.pid()), "2",
                                       stage.soon("a request for the dead"), 0));
    stage.check("one that is dead cannot be asked", error == ESRCH || error == ENOENT,
                errno_name(error));
    return {};
}

}  // namespace mosrig
