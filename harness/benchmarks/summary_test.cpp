// SPDX-License-Identifier: MIT
#include "harness/benchmarks/summary.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

MoveSample make(double freeze, double total, double round_trip, double tcp) {
    MoveSample sample;
    sample.freeze_ns = freeze;
    sample.total_ns = total;
    sample.round_trip_ns = round_trip;
    sample.tcp_ns = tcp;
    sample.demand_faults = 12;
    return sample;
}

TEST(Summary, RatiosAreTakenSampleBySample) {
    const MoveSamples samples = {{1, {make(100, 1000, 10, 500), make(400, 1000, 40, 500)}},
                                 {256, {make(300, 9000, 10, 3000)}}};
    const nlohmann::json summary = summarize(samples, {10, 10, 10});
    EXPECT_EQ(summary["rows"].size(), 2U);
    EXPECT_EQ(summary["rows"][0]["freeze_over_R"]["median"], 10.0);
    EXPECT_EQ(summary["rows"][1]["total_over_tcp"]["median"], 3.0);
    EXPECT_EQ(summary["rows"][0]["demand_faults"]["median"], 12.0);
    EXPECT_NEAR(summary["freeze_largest_over_smallest"].get<double>(), 300.0 / 250.0, 1e-9);
    EXPECT_EQ(summary["comparable"], true);
}

TEST(Summary, AnUnsteadyMachineIsSaid) {
    const nlohmann::json summary = summarize({{1, {make(1, 2, 3, 4)}}}, {10, 20, 30});
    EXPECT_EQ(summary["comparable"], false);
    EXPECT_NE(render_table(summary).find("not steady enough"), std::string::npos);
}

TEST(Summary, NothingMeasuredHasNoRows) {
    EXPECT_TRUE(summarize({{1, {}}}, {})["rows"].empty());
}

}  // namespace
}  // namespace mosrig
