// SPDX-License-Identifier: MIT
#include "harness/conformance/bystander.h"

#include <fmt/format.h>

namespace mosrig {

namespace {

constexpr Millis moving_time(30000);

// It sleeps: it gets ready with one word, and leaves with a later one.
Result<void> take_to(Stage& stage, Subject& bystander, int node) {
    const Deadline deadline = stage.deadline("the move of another process", moving_time);
    const Result<void> there = wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const ProcessState state, read_process(stage.home(), bystander.pid(), deadline));
        if (state.where == node) {
            return true;
        }
        if (state.pending == 0) {
            MOSRIG_TRY(const MoveAnswer answer,
                       request_by_file(stage.home(), bystander.pid(), node, 0, deadline));
            if (answer.seen != Answer::moves && answer.errno_name != "EAGAIN") {
                MOSRIG_CHECK(stage.require("another process may be moved", false, answer.message));
            }
        }
        MOSRIG_TRY(const std::string answer, bystander.ask("VERIFY", deadline));
        MOSRIG_CHECK(stage.require("another process is whole", answer == "OK", answer));
        return false;
    });
    MOSRIG_CHECK(there);
    return await_place(stage.home(), bystander.pid(), node, deadline).map([](const auto&) {});
}

}  // namespace

Result<Subject> start_bystander(Stage& stage) {
    Run run;
    run.command = {"memory", "quiet"};
    MOSRIG_TRY(Subject bystander, start_subject(stage, run));
    MOSRIG_CHECK(take_to(stage, bystander, stage.guest().id()));
    return bystander;
}

Result<void> expect_unharmed(Stage& stage, Subject& bystander) {
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), bystander.pid(), stage.soon("where the other one is")));
    stage.check("another process stays away, and was not moved",
                state.where == stage.guest().id() && state.nmigs == 1,
                fmt::format("where {}, nmigs {}", state.where, state.nmigs));
    MOSRIG_CHECK(expect_intact(stage, bystander, "beside one that was killed"));
    MOSRIG_CHECK(take_to(stage, bystander, 0));
    MOSRIG_CHECK(expect_intact(stage, bystander, "the other one, home again"));
    return bystander.program().kill(stage.soon("the end of the other program"));
}

}  // namespace mosrig
