// SPDX-License-Identifier: MIT
//
// A side dies, or the link breaks, at one message of a move: afterwards there is exactly one live
// copy, or a death that was reported; nothing hangs, nothing is left, and the cluster works on.
#include <fmt/format.h>

#include <csignal>
#include <map>

#include "harness/conformance/fault_point.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

// When a message is seen: on the way out, while the process is away, on the way home.
enum class Leg { out, away, home };

struct Message {
    Leg leg = Leg::out;
    bool from_home = true;
    // Until home has sent COMMIT the process has not left: no failure elsewhere may cost its life.
    bool before_commit = false;
};

const std::map<std::string, Message>& known_messages() {
    static const std::map<std::string, Message> messages = {
        {"prepare", {Leg::out, true, true}},     {"vmas", {Leg::out, true, true}},
        {"ready", {Leg::out, false, true}},      {"commit", {Leg::out, true, false}},
        {"resumed", {Leg::out, false, false}},   {"pages", {Leg::away, true, false}},
        {"pushed", {Leg::away, true, false}},    {"fault", {Leg::away, false, false}},
        {"call", {Leg::away, false, false}},     {"reply", {Leg::away, true, false}},
        {"recall", {Leg::home, true, false}},    {"return", {Leg::home, false, false}},
        {"returned", {Leg::home, false, false}}, {"taken", {Leg::home, true, false}},
    };
    return messages;
}

enum class Outcome { at_home, away, dead, unclear };

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

// Where the process and its bodies are, at one look. A call that is under way may still change it.
Result<Outcome> look(Stage& stage, std::int64_t pid) {
    MOSRIG_TRY(const int bodies, count_bodies(stage, stage.guest(), pid));
    const Result<ProcessState> state =
        read_process(stage.home(), pid, stage.soon("the process after the failure"));
    if (!state && state.error().sys_errno == 0) {
        return tl::unexpected(state.error());
    }
    if (!state || state->stat.state == 'Z') {
        return bodies == 0 ? Outcome::dead : Outcome::unclear;
    }
    if (state->where == 0) {
        return bodies == 0 ? Outcome::at_home : Outcome::unclear;
    }
    return bodies == 1 ? Outcome::away : Outcome::unclear;
}

// Waits until it is clear what became of the process. One that lives has to answer.
Result<Outcome> settle(Stage& stage, Subject& subject) {
    // Home and guest each give a silent link 15 s.
    const Deadline deadline = stage.deadline("what becomes of the process", Millis(40000));
    Result<std::string> answer = subject.ask("VERIFY", deadline);
    const bool lives = answer.has_value();
    stage.check("its data are intact, or it is dead", !lives || *answer == "OK",
                lives ? *answer : "");
    Outcome outcome = Outcome::unclear;
    MOSRIG_TRY(const bool clear, comes_true(deadline, [&]() -> Result<bool> {
                   MOSRIG_TRY(outcome, look(stage, subject.pid()));
                   return outcome != Outcome::unclear && (outcome == Outcome::dead) == !lives;
               }));
    // One that is there and does not answer hangs.
    return clear ? outcome : Outcome::unclear;
}

// Whoever started the program learns that it was killed.
Result<void> expect_killed(Stage& stage, Subject& subject, const Deadline& deadline) {
    MOSRIG_TRY(const int status, subject.program().wait(deadline));
    stage.check("its death is reported as that of signal 9", status == 128 + SIGKILL,
                std::to_string(status));
    return {};
}

Result<void> end(Stage& stage, Subject& subject, Outcome outcome) {
    if (outcome == Outcome::dead) {
        return expect_killed(stage, subject, stage.soon("the status of the dead"));
    }
    MOSRIG_CHECK(subject.program().kill(stage.soon("the end of the program")));
    return {};
}

// One failure at one message.
Result<void> play_failure(Stage& stage, const Run& run, const std::string& name,
                          const std::string& side, const std::string& action) {
    const Message& message = known_messages().at(name);
    const bool at_home = (side == "send") == message.from_home;
    Machine& machine = at_home ? stage.home() : stage.guest();
    const std::string order = fmt::format("{}:{}:{}", side, name, action);
    const std::string title = fmt::format("{} ({})", order, at_home ? "home" : "guest");
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    const std::int64_t pid = subject.pid();
    if (message.leg == Leg::home) {
        MOSRIG_CHECK(move_to(stage, pid, stage.guest().id(), 0, true));
    }
    MOSRIG_CHECK(arm_fault(stage, machine, order));
    const int target = message.leg == Leg::home ? 0 : stage.guest().id();
    MOSRIG_CHECK(request_by_file(stage.home(), pid, target, 0, stage.soon("a request")));
    Result<void> happened = await_fault(stage, machine);
    MOSRIG_TRY(const Outcome outcome, settle(stage, subject));
    MOSRIG_CHECK(arm_fault(stage, machine, "none"));
    if (!happened && happened.error().kind != ErrorKind::timeout) {
        return happened;
    }
    stage.check(fmt::format("{} happens", title), happened.has_value());
    // A guest that is killed as it says that it is ready has said so, and is sent the process.
    const bool must_live =
        message.before_commit && (action != "kill" || (!at_home && name != "ready"));
    stage.check(fmt::format("{}: {}", title,
                            must_live ? "the process goes on, at home or by another link"
                                      : "one copy lives, or the process is reported dead"),
                must_live ? outcome == Outcome::at_home || outcome == Outcome::away
                          : outcome != Outcome::unclear,
                to_string(outcome));
    return end(stage, subject, outcome);
}

// After all that a process moves, and is intact, and comes home.
Result<void> expect_usable(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    MOSRIG_TRY(const ProcessState away,
               read_process(stage.home(), subject.pid(), stage.soon("the state of the process")));
    show(stage.result, away);
    MOSRIG_CHECK(expect_intact(stage, subject, "away after the failures"));
    MOSRIG_TRY(const ProcessState home, move_to(stage, subject.pid(), 0, 0, false));
    stage.check("the cluster works on", home.where == 0);
    return expect_intact(stage, subject, "home again after the failures");
}

// What is done to a node or a link while a process is away; how long it may take to be noticed.
Result<void> strike(Stage& stage, const std::string& event) {
    // `after` goes on by itself. All that is of the program's session ends with the program, so it
    // has a session of its own, and the program waits until that is so.
    const auto on = [&stage](Machine& machine, const std::string& now,
                             const std::string& after) -> Result<void> {
        const std::string script = fmt::format(
            "{} && {{ setsid sh -c 'echo done; exec >/dev/null 2>&1 </dev/null; {}' & sleep 60; }}",
            now, after);
        MOSRIG_TRY(const std::unique_ptr<Program> program,
                   machine.start({"sh", "-c", script}, stage.soon("the blow"), StartOptions{}));
        MOSRIG_TRY(const std::optional<std::string> line,
                   program->read_line(stage.soon("the blow")));
        return stage.require("the blow is struck", line == "done", line.value_or("(end)"));
    };
    if (event == "link-cut") {
        return on(stage.guest(), "ip link set eth1 down", "true");
    }
    if (event == "link-blip") {
        return on(stage.guest(), "ip link set eth1 down", "sleep 4; ip link set eth1 up");
    }
    stage.nodes_used_up = true;
    return on(event == "home-killed" ? stage.home() : stage.guest(), "true",
              "echo b > /proc/sysrq-trigger");
}

// The next case needs the link that was cut.
Result<void> heal(Stage& stage) {
    return stage.guest()
        .run({"ip", "link", "set", "eth1", "up"}, stage.soon("the healing"), 0)
        .map([](const CommandResult&) {});
}

// Home is gone: whatever ran for it elsewhere ends by itself.
Result<void> expect_no_bodies(Stage& stage, std::int64_t pid) {
    MOSRIG_TRY(const int bodies,
               await_bodies(stage, stage.guest(), pid, 0,
                            stage.deadline("the end of a body without a home", Millis(30000))));
    stage.check("without its home, no body goes on", bodies == 0, std::to_string(bodies));
    return {};
}

Result<void> play_disaster(Stage& stage, const Run& run, const std::string& event) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState away, move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    stage.result.seen = Answer::moves;
    show(stage.result, away);
    MOSRIG_CHECK(expect_intact(stage, subject, "before " + event));
    MOSRIG_CHECK(strike(stage, event));
    if (event == "home-killed") {
        return expect_no_bodies(stage, subject.pid());
    }
    if (event == "link-blip") {
        MOSRIG_CHECK(expect_intact(stage, subject, "over a link that was silent for some seconds"));
        MOSRIG_TRY(const ProcessState state,
                   read_process(stage.home(), subject.pid(), stage.soon("where it is")));
        stage.check("it is still away", state.where == stage.guest().id(),
                    std::to_string(state.where));
        return move_to(stage, subject.pid(), 0, 0, false).map([](const ProcessState&) {});
    }
    MOSRIG_CHECK(expect_killed(stage, subject,
                               stage.deadline("the death that is to be reported", Millis(30000))));
    if (event == "guest-killed") {
        return {};
    }
    MOSRIG_CHECK(expect_no_bodies(stage, subject.pid()));
    MOSRIG_CHECK(heal(stage));
    return expect_usable(stage, run);
}

}  // namespace

Result<void> play_failures(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    for (const std::string& name : run.messages) {
        if (known_messages().count(name) == 0) {
            return usage_error(fmt::format("there is no message '{}' to fail at", name));
        }
        for (const std::string& action : run.events) {
            for (const char* side : {"send", "recv"}) {
                // What spoils a message spoils it as it is sent.
                const bool spoils = action == "garbage" || action == "truncate";
                if (!spoils || std::string(side) == "send") {
                    MOSRIG_CHECK(play_failure(stage, run, name, side, action));
                }
            }
        }
    }
    stage.result.seen = Answer::moves;
    return expect_usable(stage, run);
}

Result<void> play_disasters(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    for (const std::string& event : run.events) {
        const Result<void> played = play_disaster(stage, run, event);
        if (!played && event.rfind("link", 0) == 0) {
            // What went wrong before is told, whatever becomes of this.
            (void)heal(stage);
        }
        MOSRIG_CHECK(played);
    }
    return {};
}

}  // namespace mosrig
