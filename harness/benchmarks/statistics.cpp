// SPDX-License-Identifier: MIT
#include "harness/benchmarks/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>

namespace mosrig {

double quantile(std::vector<double> samples, double part) {
    if (samples.empty()) {
        return 0;
    }
    std::sort(samples.begin(), samples.end());
    const double place = part * static_cast<double>(samples.size() - 1);
    const auto below = static_cast<size_t>(std::floor(place));
    const size_t above = std::min(below + 1, samples.size() - 1);
    const double share = place - static_cast<double>(below);
    return samples[below] * (1 - share) + samples[above] * share;
}

double median(const std::vector<double>& samples) {
    return quantile(samples, 0.5);
}

Interval median_interval(const std::vector<double>& samples) {
    if (samples.empty()) {
        return {};
    }
    constexpr int rounds = 1000;
    // A fixed seed on purpose: the same samples must give the same report.
    std::mt19937_64 random(20041104);  // NOLINT(cert-msc51-cpp,bugprone-random-generator-seed)
    std::uniform_int_distribution<size_t> pick(0, samples.size() - 1);
    std::vector<double> medians;
    for (int round = 0; round < rounds; ++round) {
        std::vector<double> drawn;
        drawn.reserve(samples.size());
        for (size_t index = 0; index < samples.size(); ++index) {
            drawn.push_back(samples[pick(random)]);
        }
        medians.push_back(median(drawn));
    }
    return {quantile(medians, 0.025), quantile(medians, 0.975)};
}

double drift(const std::vector<double>& samples) {
    constexpr size_t parts = 3;
    if (samples.size() < parts) {
        return 0;
    }
    double smallest = 0;
    double largest = 0;
    for (size_t part = 0; part < parts; ++part) {
        const auto first = static_cast<std::ptrdiff_t>(samples.size() * part / parts);
        const auto last = static_cast<std::ptrdiff_t>(samples.size() * (part + 1) / parts);
        const double middle = median({samples.begin() + first, samples.begin() + last});
        smallest = part == 0 ? middle : std::min(smallest, middle);
        largest = std::max(largest, middle);
    }
    return smallest > 0 ? largest / smallest - 1 : 0;
}

}  // namespace mosrig
