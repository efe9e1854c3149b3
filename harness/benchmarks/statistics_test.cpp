// SPDX-License-Identifier: MIT
#include "harness/benchmarks/statistics.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

TEST(Statistics, Quantiles) {
    EXPECT_EQ(median({}), 0);
    EXPECT_EQ(median({7}), 7);
    EXPECT_EQ(median({3, 1, 2}), 2);
    EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
    EXPECT_EQ(quantile({0, 10}, 0.25), 2.5);
    EXPECT_EQ(quantile({1, 2, 3}, 1.0), 3);
}

TEST(Statistics, IntervalHoldsTheMedianAndIsRepeatable) {
    std::vector<double> samples;
    for (int value = 0; value < 40; ++value) {
        samples.push_back(100 + value % 10);
    }
    const Interval first = median_interval(samples);
    const Interval second = median_interval(samples);
    EXPECT_LE(first.low, median(samples));
    EXPECT_GE(first.high, median(samples));
    EXPECT_EQ(first.low, second.low);
    EXPECT_EQ(first.high, second.high);
    EXPECT_EQ(median_interval({5, 5, 5}).low, 5);
}

TEST(Statistics, DriftSeesASlowerThird) {
    EXPECT_EQ(drift({1, 2}), 0);
    EXPECT_DOUBLE_EQ(drift({10, 10, 10, 10, 10, 10}), 0);
    EXPECT_NEAR(drift({10, 10, 10, 10, 12, 12}), 0.2, 1e-9);
    EXPECT_GT(drift({10, 10, 20, 20, 10, 10}), largest_drift);
}

}  // namespace
}  // namespace mosrig
