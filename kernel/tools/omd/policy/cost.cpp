// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/cost.h"

#include <algorithm>

namespace mosrig::policy {
namespace {

constexpr double weight = 0.25;  // of a new measurement
constexpr double smallest_fixed = 5;
constexpr double largest_fixed = 2000;
constexpr double slowest = 0.25;  // pages/ms: 1 MB/s
constexpr double fastest = 2500;  // 10 GB/s

}  // namespace

double MoveCost::estimate(Pages pages) const {
    constexpr double stands_still = 0.5;
    return fixed_ms_ + stands_still * static_cast<double>(pages) / pages_per_ms_;
}

void MoveCost::learn(Pages pages, double took_ms) {
    const auto size = static_cast<double>(pages);
    if (size / pages_per_ms_ < fixed_ms_) {
        const double fixed = std::max(0.0, took_ms - size / pages_per_ms_);
        fixed_ms_ += weight * (fixed - fixed_ms_);
        fixed_ms_ = std::clamp(fixed_ms_, smallest_fixed, largest_fixed);
        return;
    }
    const double rest = std::max(1.0, took_ms - fixed_ms_);
    pages_per_ms_ += weight * (size / rest - pages_per_ms_);
    pages_per_ms_ = std::clamp(pages_per_ms_, slowest, fastest);
}

double expected_remaining(Millis used) {
    constexpr double hour = 3600e3;
    return std::clamp(static_cast<double>(used), 0.0, hour);
}

}  // namespace mosrig::policy
