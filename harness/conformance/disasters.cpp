// SPDX-License-Identifier: MIT
//
// A whole node, or the network between two, goes: while a process is away, or amid its move. It
// lives in one place, or its death is reported in time; the nodes that are left work on.
#include <fmt/format.h>

#include <algorithm>

#include "harness/conformance/aftermath.h"
#include "harness/conformance/blow.h"
#include "harness/conformance/fault_point.h"
#include "harness/conformance/footprint.h"
#include "harness/conformance/messages.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr const char* home_killed = "home-killed";
constexpr const char* guest_killed = "guest-killed";

// What is done to a node, or to its link, while a process is away. Gives a moment shortly before.
Result<Clock::time_point> strike(Stage& stage, Machine& struck, const std::string& event) {
    // `after` goes on by itself. All that is of the program's session ends with the program, so it
    // has a session of its own, and the program waits until that is so. It may take the node along
    // with all that was said there: so it waits until that has been heard.
    const auto blow = [&](const std::string& now,
                          const std::string& after) -> Result<Clock::time_point> {
        const Clock::time_point before = Clock::now();
        const std::string script = fmt::format(
            "{} && exec 3<&0 && {{ setsid sh -c 'echo done; read heard <&3; "
            "exec >/dev/null 2>&1 </dev/null 3<&-; {}' & sleep 60; }}",
            now, after);
        MOSRIG_TRY(const std::unique_ptr<Program> program,
                   struck.start({"sh", "-c", script}, stage.soon("the blow"), StartOptions{}));
        MOSRIG_TRY(const std::optional<std::string> line,
                   program->read_line(stage.soon("the blow")));
        MOSRIG_CHECK(stage.require("the blow falls", line == "done", line.value_or("(end)")));
        MOSRIG_CHECK(program->write_line("heard", stage.soon("the blow")));
        return before;
    };
    if (event == "link-cut") {
        return blow("ip link set eth1 down", "true");
    }
    if (event == "link-blip") {
        return blow("ip link set eth1 down", "sleep 4; ip link set eth1 up");
    }
    stage.nodes_used_up = true;
    return blow("true", "echo b > /proc/sysrq-trigger");
}

// The next case needs the link that was cut.
Result<void> heal(Stage& stage) {
    return stage.guest()
        .run({"ip", "link", "set", "eth1", "up"}, stage.soon("the healing"), 0)
        .map([](const CommandResult&) {});
}

// A dead node is nowhere to go to, and who was asked to go there goes on.
Result<void> expect_dead_target(Stage& stage, const Run& run, const Machine& dead) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    const Deadline deadline = stage.deadline("word that the node is dead", Millis(60000));
    std::string seen;
    MOSRIG_TRY(const bool refused, comes_true(deadline, [&]() -> Result<bool> {
                   MOSRIG_TRY(const MoveAnswer answer,
                              request_by_file(stage.home(), subject.pid(), dead.id(), 0,
                                              stage.soon("a request")));
                   seen = answer.errno_name;
                   return seen == "ENETUNREACH";
               }));
    stage.check("a request to a dead node gives ENETUNREACH", refused, seen);
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subject.pid(), stage.soon("the state of the process")));
    stage.check("it stays at home", state.where == 0, std::to_string(state.where));
    MOSRIG_CHECK(expect_intact(stage, subject, "after a request to a dead node"));
    return subject.program().kill(stage.soon("the end of the program"));
}

// The node that it came from still takes processes. None of the dead one can be counted.
Result<void> expect_living_target(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    MOSRIG_CHECK(expect_intact(stage, subject, "away after a node has died"));
    return subject.program().kill(stage.soon("the end of the program"));
}

// The nodes that live on after `dead`, if that is not nullptr.
Machines survivors(Stage& stage, const Machine* dead) {
    Machines living = stage.machines();
    living.erase(std::remove(living.begin(), living.end(), dead), living.end());
    return living;
}

// Without its home, what ran for it ends as soon as a death is reported.
Result<void> expect_bodies_end(Stage& stage, const Blow& blow, std::int64_t pid,
                               const std::string& event) {
    MOSRIG_TRY(const Clock::time_point seen, expect_no_bodies(stage, pid));
    expect_noticed(stage, blow, fmt::format("{}: what ran away from home ends", event), seen);
    return {};
}

// Gives the node that is dead, or nullptr.
Result<const Machine*> play_disaster(Stage& stage, const Run& run, const std::string& event) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState away, move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    stage.result.seen = Answer::moves;
    show(stage.result, away);
    MOSRIG_CHECK(expect_intact(stage, subject, "before " + event));
    Machine& struck = event == home_killed ? stage.home() : stage.guest();
    MOSRIG_TRY(const Clock::time_point fell, strike(stage, struck, event));
    const Blow blow = silent_blow(fell);
    if (event == home_killed) {
        MOSRIG_CHECK(expect_bodies_end(stage, blow, subject.pid(), event));
        return &struck;
    }
    if (event == "link-blip") {
        MOSRIG_CHECK(expect_intact(stage, subject, "over a link that was silent for some seconds"));
        MOSRIG_TRY(const ProcessState state,
                   read_process(stage.home(), subject.pid(), stage.soon("where it is")));
        stage.check("it is still away", state.where == stage.guest().id(),
                    std::to_string(state.where));
        MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, false));
        return nullptr;
    }
    MOSRIG_TRY(const Clock::time_point learnt,
               expect_killed(stage, subject,
                             stage.deadline("the death that is to be reported", Millis(30000))));
    expect_noticed(stage, blow, fmt::format("{}: the death is reported", event), learnt);
    MOSRIG_CHECK(expect_loss_logged(stage, subject.pid()));
    if (event == guest_killed) {
        MOSRIG_CHECK(expect_dead_target(stage, run, struck));
        return &struck;
    }
    MOSRIG_CHECK(expect_bodies_end(stage, blow, subject.pid(), event));
    MOSRIG_CHECK(heal(stage));
    MOSRIG_CHECK(expect_usable(stage, run, "after " + event));
    return nullptr;
}

// The same amid a move, or on the way from one node to the next. The node that dies is held there
// before, so that the other one has sent all that it could, or waits for what does not come any
// more. Gives that node.
Result<const Machine*> play_disaster_amid(Stage& stage, const Run& run, const std::string& event,
                                          const std::string& name) {
    const std::string title = fmt::format("{} at {}", event, name);
    MOSRIG_TRY(const Message message, find_message(name));
    const bool home_dies = event == home_killed;
    const std::string side_of_home = message.at_home("send") ? "send" : "recv";
    const std::string side_of_guest = message.at_home("send") ? "recv" : "send";
    const std::string& side = home_dies ? side_of_home : side_of_guest;
    Machine& guest = machine_of(stage, message, side_of_guest);
    Machine& struck = home_dies ? stage.home() : guest;
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(provoke(stage, subject.pid(), message, side, "hold"));
    MOSRIG_CHECK(await_fault(stage, struck));
    stage.result.seen = Answer::moves;
    MOSRIG_TRY(const int bodies, count_bodies(stage, guest, subject.pid()));
    MOSRIG_CHECK(stage.require(fmt::format("{}: {} has a body of it", title, guest.name()),
                               bodies == 1, std::to_string(bodies)));
    MOSRIG_TRY(const Clock::time_point fell, strike(stage, struck, event));
    const Blow blow = silent_blow(fell);
    if (home_dies) {
        MOSRIG_CHECK(expect_bodies_end(stage, blow, subject.pid(), title));
        return &struck;
    }
    MOSRIG_TRY(const Settled settled, settle(stage, subject, survivors(stage, &struck)));
    expect_noticed(stage, blow, title + ": it answers, or is reported dead", settled.answered);
    expect_noticed(stage, blow, title + ": it is in one place, or nothing of it is left",
                   settled.clear);
    // The node that it came from has let go of it, and the one that it was to go to is dead.
    stage.check(title + ": it lives at home, or its death is reported",
                settled.outcome == Outcome::at_home || settled.outcome == Outcome::dead,
                to_string(settled.outcome));
    MOSRIG_CHECK(end(stage, subject, settled.outcome));
    MOSRIG_CHECK(expect_dead_target(stage, run, struck));
    if (&struck != &stage.guest()) {
        MOSRIG_CHECK(expect_living_target(stage, run));
    }
    return &struck;
}

// One event: while a process is away, or at the message of the run. Gives the node that is dead, or
// nullptr.
Result<const Machine*> play_one(Stage& stage, const Run& run, const std::string& event) {
    if (stage.nodes_used_up) {
        return usage_error("a node that dies is the last event of its case");
    }
    if (run.messages.empty()) {
        return play_disaster(stage, run, event);
    }
    if (run.messages.size() > 1 || (event != home_killed && event != guest_killed)) {
        return usage_error("of a case, one node dies at one message, and no link is cut there");
    }
    return play_disaster_amid(stage, run, event, run.messages.front());
}

}  // namespace

Result<void> play_disasters(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_CHECK(expect_as_stated(stage, run));
    MOSRIG_CHECK(warm_up(stage, run, "before anything goes"));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    for (const std::string& event : run.events) {
        const Result<const Machine*> dead = play_one(stage, run, event);
        if (!dead && event.rfind("link", 0) == 0) {
            // What went wrong before is told, whatever becomes of this.
            (void)heal(stage);
        }
        MOSRIG_CHECK(dead);
        MOSRIG_CHECK(expect_nothing_left(stage, before, survivors(stage, *dead)));
    }
    return {};
}

}  // namespace mosrig
