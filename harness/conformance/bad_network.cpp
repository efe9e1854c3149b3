// SPDX-License-Identifier: MIT
//
// The network delays frames, or loses some: a process moves all the same, and is intact.
#include <fmt/format.h>

#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr int rounds = 3;
// A continent's width, and many times what a wire loses.
constexpr Millis delay(60);
constexpr int loss_permille = 30;

Result<fabric::Impairment> impairment_of(const std::string& event) {
    if (event == "delayed") {
        return fabric::Impairment{delay, 0};
    }
    if (event == "lossy") {
        return fabric::Impairment{Millis(0), loss_permille};
    }
    return usage_error(fmt::format("a network cannot be '{}'", event));
}

// Bad for as long as this lives.
class BadNetwork {
  public:
    static Result<BadNetwork> make(Stage& stage, const fabric::Impairment& impairment) {
        MOSRIG_TRY(const fabric::SwitchState state, stage.impair(impairment));
        return BadNetwork(stage, state.counters);
    }
    BadNetwork(const BadNetwork&) = delete;
    BadNetwork& operator=(const BadNetwork&) = delete;
    BadNetwork(BadNetwork&& other) noexcept : stage_(other.stage_), begin_(other.begin_) {
        other.stage_ = nullptr;
    }
    BadNetwork& operator=(BadNetwork&&) = delete;
    ~BadNetwork() {
        if (stage_ != nullptr) {
            // The next case says so if it is still bad.
            (void)stage_->impair({});
        }
    }

    // Makes it good again. How many frames were lost meanwhile.
    Result<std::uint64_t> end() {
        Stage* const stage = std::exchange(stage_, nullptr);
        MOSRIG_TRY(const fabric::SwitchState state, stage->impair({}));
        return state.counters.lost - begin_.lost;
    }

  private:
    BadNetwork(Stage& stage, const fabric::SwitchCounters& begin) : stage_(&stage), begin_(begin) {}

    Stage* stage_;
    fabric::SwitchCounters begin_;
};

Result<void> play_event(Stage& stage, const Run& run, const std::string& event) {
    MOSRIG_TRY(const fabric::Impairment impairment, impairment_of(event));
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

}  // namespace

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
