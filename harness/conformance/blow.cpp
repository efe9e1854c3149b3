// SPDX-License-Identifier: MIT
#include "harness/conformance/blow.h"

#include <fmt/format.h>

#include <algorithm>

namespace mosrig {

namespace {

// From what the kernel knows to what this program has seen of it.
constexpr Millis seen_within(2000);
constexpr Millis seen_within_at_most(10000);

}  // namespace

Blow silent_blow(Clock::time_point fell) {
    return {fell, link_timeout + seen_within};
}

Blow plain_blow(const Stage& stage, Clock::time_point fell) {
    const Millis scaled = stage.deadline("what is known at once", seen_within).total();
    return {fell, std::min(std::max(scaled, seen_within), seen_within_at_most)};
}

std::string seconds_between(Clock::time_point begin, Clock::time_point end) {
    return fmt::format("{:.2f} s", std::chrono::duration<double>(end - begin).count());
}

void expect_noticed(Stage& stage, const Blow& blow, const std::string& statement,
                    Clock::time_point noticed) {
    stage.check(fmt::format("{} within {:.1f} s", statement,
                            std::chrono::duration<double>(blow.limit).count()),
                noticed - blow.fell <= blow.limit, "after " + seconds_between(blow.fell, noticed));
}

}  // namespace mosrig
