// SPDX-License-Identifier: MIT
//
// Very many moves: afterwards memory, slab, sockets and processes of all nodes are where they were.
#include <fmt/format.h>

#include <cerrno>

#include "harness/conformance/footprint.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis all_time(600000);

// With many on their way no link may be free for a moment: then it is asked again.
Result<void> ask(Stage& stage, std::int64_t pid, int node, const Deadline& deadline) {
    MoveAnswer answer;
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(answer, request_by_file(stage.home(), pid, node, 0, deadline));
        return answer.seen == Answer::moves || answer.errno_name != "EAGAIN";
    }));
    if (answer.seen != Answer::moves) {
        return stage.require("each request is accepted", false, answer.errno_name);
    }
    return {};
}

Result<void> arrive(Stage& stage, std::int64_t pid, int node, const Deadline& deadline) {
    for (;;) {
        const Result<ProcessState> there = await_place(stage.home(), pid, node, deadline);
        if (there) {
            return {};
        }
        if (there.error().sys_errno != EAGAIN) {
            return tl::unexpected(there.error());
        }
        MOSRIG_CHECK(ask(stage, pid, node, deadline));
    }
}

// All of them out and home once, asked for all together.
Result<void> round(Stage& stage, const std::vector<Subject>& subjects, const Deadline& deadline) {
    const Machines& machines = stage.machines();
    for (const bool out : {true, false}) {
        const auto target = [&](size_t which) {
            return out ? machines[1 + which % (machines.size() - 1)]->id() : 0;
        };
        for (size_t which = 0; which < subjects.size(); ++which) {
            MOSRIG_CHECK(ask(stage, subjects[which].pid(), target(which), deadline));
        }
        for (size_t which = 0; which < subjects.size(); ++which) {
            MOSRIG_CHECK(arrive(stage, subjects[which].pid(), target(which), deadline));
        }
    }
    return {};
}

Result<void> soak_once(Stage& stage, const Run& run, int copies, int times) {
    const Deadline deadline = stage.deadline(fmt::format("{} moves", 2 * copies * times), all_time);
    std::vector<Subject> subjects;
    for (int copy = 0; copy < copies; ++copy) {
        MOSRIG_TRY(Subject subject, start_subject(stage, run));
        subjects.push_back(std::move(subject));
    }
    for (int turn = 0; turn < times; ++turn) {
        MOSRIG_CHECK(round(stage, subjects, deadline));
        // Now and then, so that somebody who watches sees it go on, too.
        if ((turn + 1) * copies % 50 < copies) {
            MOSRIG_CHECK(expect_intact(stage, subjects.front(),
                                       fmt::format("after {} moves", 2 * (turn + 1))));
        }
    }
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subjects.front().pid(), deadline));
    stage.result.seen = Answer::moves;
    show(stage.result, state);
    stage.check("each move was made", state.nmigs == 2L * times, std::to_string(state.nmigs));
    int intact = 0;
    for (Subject& subject : subjects) {
        MOSRIG_TRY(const std::string answer, subject.ask("VERIFY", deadline));
        intact += answer == "OK" ? 1 : 0;
        MOSRIG_TRY(const int status, subject.finish(deadline));
        intact -= status == 0 ? 0 : 1;
    }
    stage.check("the data of all are intact, and all end well", intact == copies,
                fmt::format("{} of {}", intact, copies));
    return {};
}

}  // namespace

Result<void> play_soak(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_CHECK(expect_as_stated(stage, run));
    MOSRIG_CHECK(soak_once(stage, run, run.copies, 2));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    const int times = run.phases.front().times;
    MOSRIG_CHECK(soak_once(stage, run, run.copies, times));
    return expect_nothing_left(stage, before, stage.machines(), slack_for_moves(run.copies, times));
}

}  // namespace mosrig
