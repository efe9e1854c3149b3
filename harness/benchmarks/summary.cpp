// SPDX-License-Identifier: MIT
#include "harness/benchmarks/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/benchmarks/statistics.h"

namespace mosrig {

namespace {

using nlohmann::json;

template <class Get>
std::vector<double> column(const std::vector<MoveSample>& samples, Get get) {
    std::vector<double> values;
    values.reserve(samples.size());
    for (const MoveSample& sample : samples) {
        values.push_back(static_cast<double>(get(sample)));
    }
    return values;
}

json spread(const std::vector<double>& values) {
    const Interval interval = median_interval(values);
    return {{"median", median(values)},
            {"low", interval.low},
            {"high", interval.high},
            {"p99", quantile(values, 0.99)},
            {"samples", values}};
}

json row(int mib, const std::vector<MoveSample>& samples) {
    // A ratio is taken sample by sample: the base was measured right before its move.
    return {
        {"mib", mib},
        {"samples", samples.size()},
        {"freeze_ns", spread(column(samples, [](const auto& s) { return s.freeze_ns; }))},
        {"total_ns", spread(column(samples, [](const auto& s) { return s.total_ns; }))},
        {"freeze_over_R",
         spread(column(samples, [](const auto& s) { return s.freeze_ns / s.round_trip_ns; }))},
        {"total_over_tcp",
         spread(column(samples, [](const auto& s) { return s.total_ns / s.tcp_ns; }))},
        {"demand_faults", spread(column(samples, [](const auto& s) { return s.demand_faults; }))},
        {"pages_out_at_resume",
         spread(column(samples, [](const auto& s) { return s.pages_out_at_resume; }))},
        {"round_trips", spread(column(samples, [](const auto& s) { return s.round_trips; }))},
        {"tcp_ns", spread(column(samples, [](const auto& s) { return s.tcp_ns; }))},
    };
}

double middle(const json& entry, const char* name) {
    return entry[name]["median"].get<double>();
}

const char* meaning(const std::string& base) {
    return base == "R"    ? "a TCP round trip of 64 B"
           : base == "R4" ? "one with an answer of 4 KiB"
           : base == "f"  ? "fork and exit of a process of 1 MiB"
                          : "the best that iperf3 reaches";
}

}  // namespace

json summarize(const MoveSamples& samples, const BaseSamples& bases) {
    json summary = {{"bases", json::object()}};
    double most = 0;
    for (const auto& [name, values] :
         {std::pair{"R", &bases.R}, {"R4", &bases.R4}, {"f", &bases.f}, {"B", &bases.B}}) {
        if (values->empty()) {
            continue;
        }
        json base = spread(*values);
        base["drift"] = drift(*values);
        most = std::max(most, base["drift"].get<double>());
        summary["bases"][name] = std::move(base);
    }
    summary["comparable"] = most <= largest_drift;
    summary["rows"] = json::array();
    for (const auto& [mib, list] : samples) {
        if (!list.empty()) {
            summary["rows"].push_back(row(mib, list));
        }
    }
    const json& rows = summary["rows"];
    if (rows.size() >= 2 && middle(rows.front(), "freeze_ns") > 0) {
        summary["freeze_largest_over_smallest"] =
            middle(rows.back(), "freeze_ns") / middle(rows.front(), "freeze_ns");
    }
    return summary;
}

std::string render_table(const json& summary) {
    std::string text =
        fmt::format("{:>5} {:>8} {:>12} {:>9} {:>12} {:>9} {:>8} {:>10}\n", "MiB", "samples",
                    "freeze ms", "/R", "total ms", "/TCP", "faults", "at resume");
    for (const json& entry : summary["rows"]) {
        text +=
            fmt::format("{:>5} {:>8} {:>12.3f} {:>9.2f} {:>12.1f} {:>9.2f} {:>8.0f} {:>10.0f}\n",
                        entry["mib"].get<int>(), entry["samples"].get<size_t>(),
                        middle(entry, "freeze_ns") / 1e6, middle(entry, "freeze_over_R"),
                        middle(entry, "total_ns") / 1e6, middle(entry, "total_over_tcp"),
                        middle(entry, "demand_faults"), middle(entry, "pages_out_at_resume"));
    }
    for (const auto& [name, base] : summary["bases"].items()) {
        const bool rate = name == "B";
        text += fmt::format("{:<2} {:<40} {:>9.3f} {}  drift {:.0f} %\n", name, meaning(name),
                            base["median"].get<double>() / 1e6, rate ? "Mbit/s" : "ms    ",
                            100 * base["drift"].get<double>());
    }
    if (!summary["comparable"].get<bool>()) {
        text += fmt::format(
            "a base drifted over {:.0f} %: this machine was not steady enough to compare "
            "anything\n",
            100 * largest_drift);
    }
    return text;
}

}  // namespace mosrig
