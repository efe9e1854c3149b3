// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/cost.h"

#include <algorithm>

namespace mosrig::policy {
namespace {

constexpr double kWeight = 0.25;  // of a new measurement
constexpr double kSmallestFixed = 5;
constexpr double kLargestFixed = 2000;
constexpr double kSlowest = 0.25;  // pages/ms: 1 MB/s
constexpr double kFastest = 2500;  // 10 GB/s

}  // namespace

double MoveCost::estimate(Pages pages) const {
    constexpr double kStandsStill = 0.5;
    return fixed_ms_ + kStandsStill * static_cast<double>(pages) / pages_per_ms_;
}

void MoveCost::learn(Pages pages, double took_ms) {
    const auto size = static_cast<double>(pages);
    if (size / pages_per_ms_ < fixed_ms_) {
        const double fixed = std::max(0.0, took_ms - size / pages_per_ms_);
        fixed_ms_ += kWeight * (fixed - fixed_ms_);
        fixed_ms_ = std::clamp(fixed_ms_, kSmallestFixed, kLargestFixed);
        return;
    }
    const double rest = std::max(1.0, took_ms - fixed_ms_);
    pages_per_ms_ += kWeight * (size / rest - pages_per_ms_);
    pages_per_ms_ = std::clamp(pages_per_ms_, kSlowest, kFastest);
}

double expected_remaining(Millis used) {
    constexpr double kHour = 3600e3;
    return std::clamp(static_cast<double>(used), 0.0, kHour);
}

}  // namespace mosrig::policy
