// SPDX-License-Identifier: MIT
#include "harness/benchmarks/summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
    const nlohmann::json summary = summarize(samples, {{10, 10, 10}, {}, {}, {}});
    EXPECT_EQ(summary["rows"].size(), 2U);
    EXPECT_EQ(summary["rows"][0]["freeze_over_R"]["median"], 10.0);
    EXPECT_EQ(summary["rows"][1]["total_over_tcp"]["median"], 3.0);
    EXPECT_EQ(summary["rows"][0]["demand_faults"]["median"], 12.0);
    EXPECT_NEAR(summary["freeze_largest_over_smallest"].get<double>(), 300.0 / 250.0, 1e-9);
    EXPECT_EQ(summary["comparable"], true);
}

TEST(Summary, AnUnsteadyMachineIsSaid) {
    const nlohmann::json summary = summarize({{1, {make(1, 2, 3, 4)}}}, {{10, 20, 30}, {}, {}, {}});
    EXPECT_EQ(summary["comparable"], false);
    EXPECT_NE(render_table(summary).find("not steady enough"), std::string::npos);
}

TEST(Summary, EveryBaseCountsAndOneThatIsMissingIsLeftOut) {
    const BaseSamples bases = {{10, 10, 10}, {12, 12, 12}, {7, 7, 9}, {}};
    const nlohmann::json summary = summarize({{1, {make(1, 2, 3, 4)}}}, bases);
    EXPECT_EQ(summary["bases"]["R4"]["median"], 12.0);
    EXPECT_FALSE(summary["bases"].contains("B"));
    EXPECT_EQ(summary["comparable"], false) << "f drifted";
}

TEST(Iperf, WhatArrivedCountsAndItsComplaintIsHandedOn) {
    EXPECT_EQ(parse_iperf(R"({"end":{"sum_sent":{"bits_per_second":9},
                                     "sum_received":{"bits_per_second":8.5}}})")
                  .value(),
              8.5);
    const auto busy = parse_iperf(R"({"start":{},"error":"the server is busy running a test"})");
    ASSERT_FALSE(busy);
    EXPECT_NE(busy.error().what.find("busy"), std::string::npos);
    EXPECT_FALSE(parse_iperf("iperf3: not found"));
    EXPECT_FALSE(parse_iperf(R"({"end":{}})"));
}

TEST(Summary, NothingMeasuredHasNoRows) {
    EXPECT_TRUE(summarize({{1, {}}}, {})["rows"].empty());
}

}  // namespace
}  // namespace mosrig
