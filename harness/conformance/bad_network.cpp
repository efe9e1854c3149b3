// SPDX-License-Identifier: MIT
//
// The network delays frames, or loses some: a process moves all the same, and is intact.
#include "harness/conformance/bad_network.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "harness/conformance/aftermath.h"
#include "harness/conformance/footprint.h"

namespace mosrig {

namespace {

constexpr int rounds = 3;
// A continent's width, and many times what a wire loses.
constexpr Millis delay(60);
constexpr int loss_permille = 30;

// What is done to the network, by the name of the event.
const std::map<std::string, fabric::Impairment>& impairments() {
    static const std::map<std::string, fabric::Impairment> all = {
        {"delayed", {delay, 0}}, {"lossy", {Millis(0), loss_permille}}};
    return all;
}

// Moves a process to and fro while the network is bad, and looks at what that leaves.
Result<void> play_impaired(Stage& stage, const Run& run, const std::string& event) {
    MOSRIG_CHECK(warm_up(stage, run, "before the network is bad"));
    MOSRIG_TRY(const Footprints before, take_footprints(stage));
    MOSRIG_CHECK(move_while_impaired(stage, run, event));
    return expect_nothing_left(stage, before, stage.machines(), slack_for_failures(2 * rounds));
}

Result<void> play_event(Stage& stage, const Run& run, const std::string& event) {
    if (impairments().count(event) != 0) {
        return play_impaired(stage, run, event);
    }
    if (event == "blip") {
        return play_blips(stage, run);
    }
    if (event.rfind("cut-", 0) == 0) {
        return play_cut(stage, run, event);
    }
    return usage_error(fmt::format("a network cannot be '{}'", event));
}

}  // namespace

Result<BadNetwork> BadNetwork::make(Stage& stage, const fabric::Impairment& impairment) {
    MOSRIG_TRY(const fabric::SwitchState state, stage.impair(impairment));
    return BadNetwork(stage, state.counters);
}

BadNetwork::BadNetwork(BadNetwork&& other) noexcept
    : stage_(std::exchange(other.stage_, nullptr)), begin_(other.begin_) {}

BadNetwork::~BadNetwork() {
    if (stage_ != nullptr) {
        // The next case says so if it is still bad.
        (void)stage_->impair({});
    }
}

Result<void> BadNetwork::become(const fabric::Impairment& impairment) {
    return stage_->impair(impairment).map([](const fabric::SwitchState&) {});
}

Result<std::uint64_t> BadNetwork::end() {
    Stage* const stage = std::exchange(stage_, nullptr);
    MOSRIG_TRY(const fabric::SwitchState state, stage->impair({}));
    return state.counters.lost - begin_.lost;
}

Result<void> move_while_impaired(Stage& stage, const Run& run, const std::string& event) {
    const fabric::Impairment& impairment = impairments().at(event);
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(BadNetwork network, BadNetwork::make(stage, impairment));
    for (int round = 1; round <= rounds; ++round) {
        const std::string when = fmt::format("{}, round {}", event, round);
        MOSRIG_TRY(const ProcessState away,
                   move_to(stage, subject.pid(), stage.guest().id(), 0, round % 2 == 0));
        show(stage.result, away);
        // COMMIT goes there and RESUMED comes back while it stands still: the delay was one.
        const std::int64_t least = 2 * std::chrono::nanoseconds(impairment.delay).count();
        stage.check(fmt::format("{}: it stands still for two ways at least", when),
                    stage.result.freeze_ns.value_or(0) >= least,
                    fmt::format("{} ns", stage.result.freeze_ns.value_or(0)));
        MOSRIG_CHECK(expect_intact(stage, subject, "away, " + when));
        MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, round % 2 != 0));
        MOSRIG_CHECK(expect_intact(stage, subject, "home, " + when));
    }
    MOSRIG_TRY(const std::uint64_t lost, network.end());
    stage.check(fmt::format("{}: frames were lost only where that was asked for", event),
                (lost > 0) == (impairment.loss_permille > 0), fmt::format("{} frames", lost));
    return subject.program().kill(stage.soon("the end of the program"));
}

Result<void> play_bad_network(Stage& stage, const Description& description) {
    if (!stage.impair) {
        return stage.skip("nobody can make this network bad");
    }
    for (const Run& run : description.runs) {
        MOSRIG_CHECK(expect_as_stated(stage, run));
        for (const std::string& event : run.events) {
            MOSRIG_CHECK(play_event(stage, run, event));
        }
    }
    stage.result.seen = Answer::moves;
    return {};
}

}  // namespace mosrig
