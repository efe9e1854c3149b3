// SPDX-License-Identifier: MIT
// The few statistics that the benchmarks report.
#pragma once

#include <cstdint>
#include <vector>

namespace mosrig {

struct Interval {
    double low = 0;
    double high = 0;
};

// Value below which `part` (0 ... 1) of the samples lie, interpolated; 0 for no samples.
double quantile(std::vector<double> samples, double part);
double median(const std::vector<double>& samples);

// 95 % interval of the median by resampling. Always the same for the same samples.
Interval median_interval(const std::vector<double>& samples);

// How far a base measure drifted within a run: the largest median of the first, middle and last
// third over the smallest, minus 1. 0 for fewer than three samples.
double drift(const std::vector<double>& samples);

// Above this drift of a base measure a run compares nothing.
inline constexpr double largest_drift = 0.15;

}  // namespace mosrig
