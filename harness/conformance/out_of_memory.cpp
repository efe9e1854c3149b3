// SPDX-License-Identifier: MIT
//
// Memory runs out under a process that is away, at home or on its guest: it is dead, and who
// started it knows, or it goes on, with all its data. Nobody else's process suffers for it.
#include <fmt/format.h>

#include <map>

#include "harness/conformance/aftermath.h"
#include "harness/conformance/bystander.h"
#include "harness/conformance/fault_point.h"
#include "harness/conformance/footprint.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis eating_time(30000);
constexpr Millis feast_time(150000);
constexpr Millis dying_time(30000);
// Control groups come and go, and a thousand mappings: each leaves some pages in a cache.
constexpr Slack slack_of_groups{4096, 512};

// Starts the program and takes it to the guest.
Result<Subject> start_away(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState away, move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    stage.result.seen = Answer::moves;
    show(stage.result, away);
    return subject;
}

Result<void> eat(Stage& stage, Subject& subject, const std::string& where) {
    MOSRIG_TRY(const std::string answer,
               subject.ask("EAT", stage.deadline("EAT, " + where, eating_time)));
    return stage.require("it takes memory " + where, answer == "OK", answer);
}

// The task that a node has of the process: the deputy, or the body.
Result<std::int64_t> task_on(Stage& stage, Machine& machine, const Subject& subject) {
    if (&machine == &stage.home()) {
        return subject.pid();
    }
    return find_body(stage, stage.guest(), subject.pid());
}

Result<void> shell(Stage& stage, Machine& machine, const std::string& script) {
    MOSRIG_TRY(const CommandResult done,
               machine.run({"sh", "-ec", script},
                           stage.deadline("a script on " + machine.name(), Millis(10000)), 0));
    return stage.require(fmt::format("{} does as it is told", machine.name()), done.ok(),
                         done.out + done.err);
}

Result<void> expect_death(Stage& stage, Subject& subject, Millis patience) {
    MOSRIG_CHECK(expect_killed(stage, subject,
                               stage.deadline("the death that is to be reported", patience)));
    MOSRIG_CHECK(expect_no_bodies(stage, subject.pid()));
    return {};
}

// The node's OOM killer, as if there were no memory left; it is told whom to take first.
Result<void> call_killer(Stage& stage, Machine& machine, std::int64_t task) {
    return shell(
        stage, machine,
        fmt::format("echo 1000 >/proc/{}/oom_score_adj; echo f >/proc/sysrq-trigger", task));
}

Result<void> play_killer(Stage& stage, const Run& run, Machine& machine) {
    MOSRIG_TRY(Subject bystander, start_away(stage, run));
    MOSRIG_TRY(Subject subject, start_away(stage, run));
    MOSRIG_CHECK(eat(stage, subject, "away"));
    MOSRIG_TRY(const std::int64_t task, task_on(stage, machine, subject));
    MOSRIG_CHECK(call_killer(stage, machine, task));
    MOSRIG_CHECK(expect_death(stage, subject, dying_time));
    return expect_unharmed(stage, bystander);
}

// A control group that lets its processes have less than one portion, and no swap. Gone with this
// function's end, whatever comes of `played`.
Result<void> in_small_group(Stage& stage, Machine& machine, std::int64_t task,
                            const std::function<Result<void>()>& played) {
    const std::string folder = "/run/mosrig-small";
    MOSRIG_CHECK(shell(stage, machine,
                       fmt::format("mkdir {0}; mount -t cgroup2 none {0}; "
                                   "echo +memory >{0}/cgroup.subtree_control; mkdir {0}/small; "
                                   "echo 32M >{0}/small/memory.max; "
                                   "echo 0 >{0}/small/memory.swap.max; "
                                   "echo {1} >{0}/small/cgroup.procs",
                                   folder, task)));
    const Result<void> result = played();
    // Who is dead may be in there until the last of it is gone.
    Result<void> cleared =
        shell(stage, machine,
              fmt::format("while [ -n \"$(cat {0}/small/cgroup.procs)\" ]; do sleep 0.1; done; "
                          "rmdir {0}/small; echo -memory >{0}/cgroup.subtree_control; "
                          "umount {0}; rmdir {0}",
                          folder));
    MOSRIG_CHECK(result);
    return cleared;
}

// More than its group may have on that node: on the guest as it takes it, at home as it brings it.
Result<void> play_limit(Stage& stage, const Run& run, Machine& machine) {
    MOSRIG_TRY(Subject subject, start_away(stage, run));
    MOSRIG_TRY(const std::int64_t task, task_on(stage, machine, subject));
    return in_small_group(stage, machine, task, [&]() -> Result<void> {
        if (&machine == &stage.guest()) {
            MOSRIG_CHECK(subject.program().write_line("EAT", stage.soon("EAT")));
        } else {
            MOSRIG_CHECK(eat(stage, subject, "away, where home's limit is not reached"));
            MOSRIG_TRY(const MoveAnswer answer,
                       request_by_file(stage.home(), subject.pid(), 0, 0, stage.soon("a request")));
            MOSRIG_CHECK(stage.require("the request is taken", answer.seen == Answer::moves,
                                       answer.message));
        }
        return expect_death(stage, subject, dying_time);
    });
}

// The guest's killer takes it when it has begun to send itself home.
Result<void> play_returning(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_away(stage, run));
    MOSRIG_CHECK(eat(stage, subject, "away"));
    MOSRIG_TRY(const std::int64_t body, find_body(stage, stage.guest(), subject.pid()));
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "send:return:hold"));
    MOSRIG_TRY(const MoveAnswer answer,
               request_by_file(stage.home(), subject.pid(), 0, 0, stage.soon("a request")));
    MOSRIG_CHECK(
        stage.require("the request is taken", answer.seen == Answer::moves, answer.message));
    MOSRIG_CHECK(await_fault(stage, stage.guest()));
    MOSRIG_CHECK(call_killer(stage, stage.guest(), body));
    MOSRIG_TRY(const Settled settled, settle(stage, subject));
    const Outcome outcome = settled.outcome;
    MOSRIG_CHECK(arm_fault(stage, stage.guest(), "none"));
    MOSRIG_CHECK(stage.require("it is whole, or reported dead", outcome != Outcome::unclear,
                               to_string(outcome)));
    return end(stage, subject, outcome);
}

// It takes all that the guest has.
Result<void> play_full(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject bystander, start_away(stage, run));
    MOSRIG_TRY(Subject subject, start_away(stage, run));
    MOSRIG_CHECK(subject.program().write_line("FEAST", stage.soon("FEAST")));
    MOSRIG_CHECK(expect_death(stage, subject, feast_time));
    return expect_unharmed(stage, bystander);
}

// The guest has no room for its mappings, of which home has plenty.
Result<void> play_mappings(Stage& stage, const Run& run) {
    const std::string limit = "/proc/sys/vm/max_map_count";
    MOSRIG_TRY(Subject subject, start_away(stage, run));
    MOSRIG_CHECK(eat(stage, subject, "away"));
    MOSRIG_TRY(const std::string usual, stage.read_text(stage.guest(), limit));
    MOSRIG_CHECK(stage.write_text(stage.guest(), limit, "500"));
    const Result<std::string> answer =
        subject.ask("MAPS", stage.deadline("an answer to MAPS", eating_time));
    MOSRIG_CHECK(stage.write_text(stage.guest(), limit, usual));
    MOSRIG_CHECK(stage.require("the guest's limit is no limit of the process",
                               answer && *answer == "OK",
                               answer ? *answer : answer.error().message()));
    MOSRIG_CHECK(expect_intact(stage, subject, "where there is room"));
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subject.pid(), stage.soon("where it is")));
    stage.check("it came home for a call",
                state.where == 0 && home_reason(state).rfind("syscall:", 0) == 0,
                fmt::format("where {}, home_reason {}", state.where, home_reason(state)));
    return subject.program().kill(stage.soon("the end of the program"));
}

Result<void> play_event(Stage& stage, const Run& run, const std::string& event) {
    if (event == "guest-killer" || event == "home-killer") {
        return play_killer(stage, run, event == "guest-killer" ? stage.guest() : stage.home());
    }
    if (event == "guest-limit" || event == "home-limit") {
        return play_limit(stage, run, event == "guest-limit" ? stage.guest() : stage.home());
    }
    static const std::map<std::string, Result<void> (*)(Stage&, const Run&)> others = {
        {"returning", play_returning},
        {"guest-full", play_full},
        {"guest-mappings", play_mappings}};
    const auto found = others.find(event);
    if (found == others.end()) {
        return usage_error(fmt::format("memory does not run out by '{}'", event));
    }
    return found->second(stage, run);
}

}  // namespace

Result<void> play_out_of_memory(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_CHECK(expect_as_stated(stage, run));
    MOSRIG_CHECK(expect_usable(stage, run, "before memory runs out"));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    for (const std::string& event : run.events) {
        MOSRIG_CHECK(play_event(stage, run, event));
        MOSRIG_CHECK(expect_usable(stage, run, "after " + event));
        MOSRIG_CHECK(expect_nothing_left(stage, before, stage.machines(), slack_of_groups));
    }
    return {};
}

}  // namespace mosrig
