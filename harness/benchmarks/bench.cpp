// SPDX-License-Identifier: MIT
//
// The verb `bench`: Google Benchmark with manual timing, since the time that counts is the kernel's
// own (migstat) and not that of the call.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/base/fd.h"
#include "harness/benchmarks/bench_rig.h"
#include "harness/benchmarks/statistics.h"
#include "harness/benchmarks/summary.h"
#include "harness/cli/suite.h"
#include "harness/cluster/balancer_off.h"
#include "harness/cluster/cluster.h"
#include "harness/journal/journal.h"

namespace mosrig {

namespace {

using nlohmann::json;

constexpr std::array sizes_mib = {1, 16, 64, 256};
constexpr int samples_by_design = 30;
constexpr int samples_if_quick = 3;
constexpr size_t samples_per_throughput = 10;

struct Bench {
    std::unique_ptr<BenchRig> rig;
    MoveSamples samples;
    std::string failure;
};

int report(const Error& error) {
    fmt::print(stderr, "mosrig: {}\n", error.message());
    return exit_code(error);
}

void set_counters(benchmark::State& state, int mib, const std::vector<MoveSample>& samples) {
    const json row = summarize({{mib, samples}}, {})["rows"].at(0);
    for (const char* name : {"freeze_ns", "total_ns", "freeze_over_R", "total_over_tcp",
                             "demand_faults", "pages_out_at_resume", "round_trips", "tcp_ns"}) {
        state.counters[name] = row[name]["median"].get<double>();
    }
    std::vector<double> round_trips;
    round_trips.reserve(samples.size());
    for (const MoveSample& sample : samples) {
        round_trips.push_back(sample.round_trip_ns);
    }
    state.counters["R_ns"] = median(round_trips);
    state.counters["mib"] = mib;
    state.counters["samples"] = static_cast<double>(samples.size());
}

void progress(int mib, size_t done, std::int64_t wanted, const MoveSample& sample) {
    fmt::print(
        "{}move {:>3} MiB  {:>2}/{}  frozen {:.3f} ms ({:.1f} R), all there after {:.1f} ms{}",
        isatty(STDOUT_FILENO) != 0 ? "\r\033[K" : "", mib, done, wanted, sample.freeze_ns / 1e6,
        sample.freeze_ns / sample.round_trip_ns, sample.total_ns / 1e6,
        isatty(STDOUT_FILENO) != 0 ? "" : "\n");
    (void)std::fflush(stdout);
}

void measure_moves(benchmark::State& state, Bench& bench, int mib, bool quiet) {
    Result<Subject> subject = bench.rig->start_busy(mib);
    std::vector<MoveSample>& samples = bench.samples[mib];
    for (auto turn : state) {
        static_cast<void>(turn);
        // A few times for each size, since it loads both nodes for seconds.
        const Result<void> rate = samples.size() % samples_per_throughput == 0
                                      ? bench.rig->measure_throughput()
                                      : Result<void>();
        const Result<MoveSample> sample = !rate     ? tl::unexpected(rate.error())
                                          : subject ? bench.rig->sample(*subject, mib)
                                                    : tl::unexpected(subject.error());
        if (!sample) {
            bench.failure = sample.error().message();
            state.SkipWithError(bench.failure.c_str());
            return;
        }
        samples.push_back(*sample);
        state.SetIterationTime(sample->total_ns / 1e9);
        if (!quiet) {
            progress(mib, samples.size(), state.max_iterations, *sample);
        }
    }
    set_counters(state, mib, samples);
    if (!quiet && isatty(STDOUT_FILENO) != 0) {
        fmt::print("\n");
    }
}

// Google Benchmark's own JSON of the run.
json run_registered(const std::string& filter) {
    std::string name = "mosrig";
    std::string choice = "--benchmark_filter=" + (filter.empty() ? "." : filter);
    std::array<char*, 3> arguments = {name.data(), choice.data(), nullptr};
    int count = 2;
    benchmark::Initialize(&count, arguments.data());
    std::ostringstream text;
    benchmark::JSONReporter reporter;
    reporter.SetOutputStream(&text);
    reporter.SetErrorStream(&text);
    benchmark::RunSpecifiedBenchmarks(&reporter);
    json parsed = json::parse(text.str(), nullptr, false);
    return parsed.is_object() ? parsed : json::object();
}

json run_facts(const ClusterInfo& info) {
    return {{"kernel", info.kernel_release},   {"kernel_config", info.kernel_config},
            {"accelerator", info.accelerator}, {"nodes", info.nodes.size()},
            {"image", info.image_kind},        {"finished", timestamp()}};
}

}  // namespace

int run_benchmarks(const BenchOptions& options) {
    Result<Cluster> cluster = Cluster::open(options.state);
    if (!cluster) {
        return report(cluster.error());
    }
    const auto off = BalancerOff::begin(*cluster);
    if (!off) {
        return report(off.error());
    }
    Result<std::unique_ptr<BenchRig>> rig = BenchRig::open(*cluster);
    if (!rig) {
        return report(rig.error());
    }
    Bench bench;
    bench.rig = std::move(*rig);
    const int samples = options.repetitions > 0 ? options.repetitions
                        : options.quick         ? samples_if_quick
                                                : samples_by_design;
    for (const int mib : sizes_mib) {
        benchmark::RegisterBenchmark(fmt::format("move/mib:{}", mib).c_str(),
                                     [&bench, mib, quiet = options.json](benchmark::State& state) {
                                         measure_moves(state, bench, mib, quiet);
                                     })
            ->UseManualTime()
            ->Iterations(samples)
            ->Unit(benchmark::kMillisecond);
    }
    json result = run_registered(options.filter);
    result["mosrig"] = summarize(bench.samples, bench.rig->bases());
    result["mosrig"]["run"] = run_facts(cluster->info());
    const std::filesystem::path file = options.results_dir / "bench.json";
    std::error_code ignored;
    std::filesystem::create_directories(options.results_dir, ignored);
    if (const Result<void> written = write_text_file(file, result.dump(2) + "\n"); !written) {
        return report(written.error());
    }
    if (options.json) {
        fmt::print("{}\n", json({{"bench", file.string()}, {"summary", result["mosrig"]}}).dump());
    } else {
        fmt::print("{}-> {}\n", render_table(result["mosrig"]), file.string());
    }
    if (!bench.failure.empty()) {
        return report(infra_error("the benchmark broke off: " + bench.failure).value());
    }
    // Nothing measured is no success.
    return bench.samples.empty() ? report(infra_error("no benchmark fits the filter").value()) : 0;
}

}  // namespace mosrig
