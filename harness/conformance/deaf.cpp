// SPDX-License-Identifier: MIT
//
// A guest whose kernel answers, and where the body of a process hears nothing: no silence of the
// link ends that, and there are others who wait for the process.
#include "harness/conformance/aftermath.h"
#include "harness/conformance/blow.h"
#include "harness/conformance/bystander.h"
#include "harness/conformance/fault_point.h"
#include "harness/conformance/footprint.h"
#include "harness/conformance/visits.h"
#include "harness/conformance/wording.h"

namespace mosrig {

namespace {

// So long a body may take to come at once: kernel/hpc/deputy.c, OM_ANSWER_TIMEOUT.
constexpr Millis answer_timeout(60000);

Blow deaf_blow(const Stage& stage, Clock::time_point fell) {
    const Blow blow = plain_blow(stage, fell);
    return {blow.fell, blow.limit + answer_timeout};
}

// The visitor is let in although it never comes, and its death is reported.
Result<void> visit_the_deaf(Stage& stage, const Run& run) {
    const Deadline deadline =
        stage.deadline("the end of who hears nothing", answer_timeout + answer_timeout);
    const Moment moment = as_it_is_called(stage);
    MOSRIG_TRY(Visit visit, begin_visit(stage, run.command.at(1), moment, deadline));
    const Blow blow = deaf_blow(stage, Clock::now());
    MOSRIG_TRY(const int status, visit.visitor->wait(deadline));
    expect_noticed(stage, blow, "who waits for it is let in", Clock::now());
    MOSRIG_TRY(const std::string complaint, visit.visitor->take_error_output());
    stage.check("he can write to the file", status == 0, complaint);
    MOSRIG_TRY(const Clock::time_point learnt, expect_killed(stage, visit.subject, deadline));
    expect_noticed(stage, blow, "its death is reported", learnt);
    MOSRIG_CHECK(expect_loss_logged(stage, visit.subject.pid()));
    MOSRIG_CHECK(arm_fault(stage, moment.node, "none"));
    return expect_no_bodies(stage, visit.subject.pid()).map([](Clock::time_point) {});
}

}  // namespace

Result<void> play_deaf(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_TRY(Subject bystander, start_bystander(stage));
    MOSRIG_CHECK(expect_as_stated(stage, run));
    MOSRIG_CHECK(warm_up(stage, run, "before it hears nothing"));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    MOSRIG_CHECK(visit_the_deaf(stage, run));
    stage.result.seen = Answer::moves;
    MOSRIG_CHECK(expect_usable(stage, run, "after it heard nothing"));
    MOSRIG_CHECK(expect_nothing_left(stage, before, stage.machines()));
    return expect_unharmed(stage, bystander);
}

}  // namespace mosrig
