// SPDX-License-Identifier: MIT
//
// The network delays frames, or loses some: a process moves all the same, and is intact.
#include "harness/conformance/bad_network.h"

#include <fmt/format.h>

#include <utility>

namespace mosrig {

namespace {

constexpr int rounds = 3;
// A continent's width, and many times what a wire loses.
constexpr Millis delay(60);
constexpr int loss_permille = 30;

// Moves a process to and fro while the network is as told. event: what the checks call it.
Result<void> play_impaired(Stage& stage, const Run& run, const std::string& event,
                           const fabric::Impairment& impairment) {
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
        MOSRIG_TRY(const ProcessState home, move_to(stage, subject.pid(), 0, 0, round % 2 != 0));
        stage.check(fmt::format("{}: it is home again", when), home.where == 0,
                    std::to_string(home.where));
        MOSRIG_CHECK(expect_intact(stage, subject, "home, " + when));
    }
    MOSRIG_TRY(const std::uint64_t lost, network.end());
    stage.check(fmt::format("{}: frames were lost only where that was asked for", event),
                (lost > 0) == (impairment.loss_permille > 0), fmt::format("{} frames", lost));
    return subject.program().kill(stage.soon("the end of the program"));
}

Result<void> play_event(Stage& stage, const Run& run, const std::string& event) {
    if (event == "delayed") {
        return play_impaired(stage, run, event, {delay, 0});
    }
    if (event == "lossy") {
        return play_impaired(stage, run, event, {Millis(0), loss_permille});
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

Result<void> play_bad_network(Stage& stage, const Description& description) {
    if (!stage.impair) {
        return stage.skip("nobody can make this network bad");
    }
    for (const Run& run : description.runs) {
        for (const std::string& event : run.events) {
            MOSRIG_CHECK(play_event(stage, run, event));
        }
    }
    stage.result.seen = Answer::moves;
    return {};
}

}  // namespace mosrig
