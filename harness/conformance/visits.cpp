// SPDX-License-Identifier: MIT
#include "harness/conformance/visits.h"

#include <fmt/format.h>

#include <csignal>

#include "harness/conformance/fault_point.h"
#include "harness/conformance/requests_amid.h"

namespace mosrig {

namespace {

// Who writes a word: at a place in the memory of a process, or to a file that it has.
std::vector<std::string> writer_of_word(std::int64_t pid, const std::string& place) {
    std::vector<std::string> command = {"dd", "bs=8", "count=1", "conv=notrunc,nocreat",
                                        "status=none"};
    if (place.starts_with('/')) {
        command.push_back("of=" + place);
    } else {
        command.insert(command.end(),
                       {fmt::format("of=/proc/{}/mem", pid), "seek=" + place, "oflag=seek_bytes"});
    }
    return command;
}

Moment as_it_gets_ready(Stage& stage) {
    return {stage.guest(), "send:ready:hold", std::to_string(stage.guest().id())};
}

// The visitor has all that he needs to do it.
Result<Visit> send_visitor(Stage& stage, const std::string& kind, const Moment& moment,
                           const Deadline& deadline) {
    Run run;
    run.command = {"memory", kind};
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    const std::int64_t pid = subject.pid();
    MOSRIG_TRY(const std::string place, subject.ask("PLACE", deadline));
    if (moment.request == "home") {
        MOSRIG_CHECK(move_to(stage, pid, stage.guest().id(), 0, false));
    }
    MOSRIG_CHECK(arm_fault(stage, moment.node, moment.fault));
    MOSRIG_CHECK(expect_goto_answer(stage, pid, moment.request, ""));
    MOSRIG_CHECK(await_fault(stage, moment.node));
    MOSRIG_TRY(std::unique_ptr<Program> visitor,
               stage.home().start(writer_of_word(pid, place), deadline, StartOptions{}));
    MOSRIG_CHECK(visitor->write_line("visitor", deadline));
    return Visit{std::move(subject), std::move(visitor)};
}

}  // namespace

Moment as_it_leaves(Stage& stage) {
    return {stage.home(), "send:commit:hold", std::to_string(stage.guest().id())};
}

Moment as_it_is_called(Stage& stage) {
    return {stage.guest(), "recv:recall:hold", "home"};
}

Result<Visit> begin_visit(Stage& stage, const std::string& kind, const Moment& moment,
                          const Deadline& deadline) {
    MOSRIG_TRY(Visit visit, send_visitor(stage, kind, moment, deadline));
    char seen = 'R';
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        const Result<ProcessState> visiting =
            read_process(stage.home(), visit.visitor->pid(), deadline);
        seen = visiting ? visiting->stat.state : 'Z';
        return seen == 'D' || seen == 'Z';
    }));
    stage.check(kind + ": who writes there waits", seen == 'D', std::string(1, seen));
    return visit;
}

Result<void> visit_at_the_door(Stage& stage, const std::string& kind, const Moment& moment,
                               const std::string& reason) {
    const Deadline deadline = stage.deadline("a visit amid a move", request_time);
    MOSRIG_TRY(Visit visit, begin_visit(stage, kind, moment, deadline));
    MOSRIG_CHECK(arm_fault(stage, moment.node, "none"));
    MOSRIG_TRY(const int status, visit.visitor->wait(deadline));
    MOSRIG_TRY(const std::string complaint, visit.visitor->take_error_output());
    stage.check(kind + ": he can, once it is home again", status == 0, complaint);
    MOSRIG_TRY(const std::string word, visit.subject.ask("WORD", deadline));
    MOSRIG_TRY(const ProcessState state, read_process(stage.home(), visit.subject.pid(), deadline));
    stage.check(kind + ": what he wrote is what it reads", word == "visitor",
                fmt::format("{}; where {}, nmigs {}", word, state.where, state.nmigs));
    stage.check(kind + ": it is home for that",
                state.where == 0 && home_reason(state) == "reason:" + reason,
                fmt::format("where {}, {}", state.where, home_reason(state)));
    return visit.subject.program().kill(deadline);
}

Result<void> visit_before_it_leaves(Stage& stage, const std::string& kind) {
    const Deadline deadline = stage.deadline("a visit before a move", request_time);
    const Moment moment = as_it_gets_ready(stage);
    MOSRIG_TRY(Visit visit, send_visitor(stage, kind, moment, deadline));
    MOSRIG_TRY(const int status, visit.visitor->wait(deadline));
    MOSRIG_TRY(const std::string complaint, visit.visitor->take_error_output());
    stage.check(kind + ": he can before it leaves", status == 0, complaint);
    MOSRIG_CHECK(arm_fault(stage, moment.node, "none"));
    MOSRIG_CHECK(await_place(stage.home(), visit.subject.pid(), stage.guest().id(), deadline));
    MOSRIG_TRY(const std::string word, visit.subject.ask("WORD", deadline));
    MOSRIG_TRY(const ProcessState state, read_process(stage.home(), visit.subject.pid(), deadline));
    stage.check(kind + ": what he wrote is what it reads away",
                word == "visitor" && state.where == stage.guest().id(),
                fmt::format("{}; where {}, {}", word, state.where, home_reason(state)));
    return visit.subject.program().kill(deadline);
}

Result<void> visit_the_dying(Stage& stage) {
    const Deadline deadline = stage.deadline("a visit amid a death", request_time);
    MOSRIG_TRY(const Visit visit, begin_visit(stage, "visited", as_it_leaves(stage), deadline));
    MOSRIG_TRY(const int error, stage.home().send_signal(visit.subject.pid(), SIGKILL, deadline));
    MOSRIG_CHECK(stage.require("it can be killed", error == 0, errno_name(error)));
    MOSRIG_CHECK(arm_fault(stage, stage.home(), "none"));
    MOSRIG_TRY(const int status, visit.visitor->wait(deadline));
    stage.check("who waited for it is told that it is gone", status == 1, std::to_string(status));
    return {};
}

}  // namespace mosrig
