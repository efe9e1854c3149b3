// SPDX-License-Identifier: MIT
//
// The verb `bench`: Google Benchmark with manual timing, since the time that counts is the kernel's
// own (migstat) and not that of the call.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/base/fd.h"
#include "harness/benchmarks/bench_rig.h"
#include "harness/benchmarks/summary.h"
#include "harness/cli/suite.h"
#include "harness/cluster/balancer_off.h"
#include "harness/cluster/cluster.h"
#include "harness/journal/journal.h"
#include "harness/process/subject.h"

namespace mosrig {

namespace {

using nlohmann::json;

constexpr std::array sizes_mib = {1, 16, 64, 256};
constexpr int samples_by_design = 30;
constexpr int samples_if_quick = 3;
constexpr size_t samples_per_throughput = 10;

struct Bench {
    std::unique_ptr<BenchRig> rig;
    size_t repetitions = 0;
    bool quiet = false;
    std::map<int, Subject> subjects;  // by their MiB
    MoveSamples samples;
    std::string failure;
};

int report(const Error& error) {
    fmt::print(stderr, "mosrig: {}\n", error.message());
    return exit_code(error);
}

void set_counters(benchmark::State& state, int mib, const MoveSample& sample) {
    state.counters["mib"] = mib;
    state.counters["freeze_ns"] = sample.freeze_ns;
    state.counters["total_ns"] = sample.total_ns;
    state.counters["R_ns"] = sample.round_trip_ns;
    state.counters["tcp_ns"] = sample.tcp_ns;
    state.counters["demand_faults"] = static_cast<double>(sample.demand_faults);
    state.counters["pages_out_at_resume"] = static_cast<double>(sample.pages_out_at_resume);
    state.counters["round_trips"] = static_cast<double>(sample.round_trips);
}

void progress(int mib, size_t done, size_t wanted, const MoveSample& sample) {
    fmt::print(
        "{}move {:>3} MiB  {:>2}/{}  frozen {:.3f} ms ({:.1f} R), all there after {:.1f} ms{}",
        isatty(STDOUT_FILENO) != 0 ? "\r\033[K" : "", mib, done, wanted, sample.freeze_ns / 1e6,
        sample.freeze_ns / sample.round_trip_ns, sample.total_ns / 1e6,
        isatty(STDOUT_FILENO) != 0 ? "" : "\n");
    (void)std::fflush(stdout);
}

Result<MoveSample> measure(Bench& bench, int mib) {
    // Now and then, since it loads both nodes for seconds.
    if (bench.rig->bases().R.size() % samples_per_throughput == 0) {
        MOSRIG_CHECK(bench.rig->measure_throughput());
    }
    auto subject = bench.subjects.find(mib);
    if (subject == bench.subjects.end()) {
        MOSRIG_TRY(Subject started, bench.rig->start_busy(mib));
        subject = bench.subjects.emplace(mib, std::move(started)).first;
    }
    return bench.rig->sample(subject->second, mib);
}

void measure_moves(benchmark::State& state, Bench& bench, int mib) {
    for (auto turn : state) {
        static_cast<void>(turn);
        if (!bench.failure.empty()) {
            state.SkipWithError("an earlier move failed");
            return;
        }
        const Result<MoveSample> sample = measure(bench, mib);
        if (!sample) {
            bench.failure = sample.error().message();
            state.SkipWithError(bench.failure.c_str());
            return;
        }
        bench.samples[mib].push_back(*sample);
        state.SetIterationTime(sample->total_ns / 1e9);
        set_counters(state, mib, *sample);
        if (!bench.quiet) {
            progress(mib, bench.samples[mib].size(), bench.repetitions, *sample);
        }
    }
}

// Without means and deviations: we have our own, and a deviation relative to a mean of 0 would be a
// NaN, which is no JSON.
class SamplesReporter : public benchmark::JSONReporter {
  public:
    void ReportRuns(const std::vector<Run>& runs) override {
        std::vector<Run> samples;
        std::copy_if(runs.begin(), runs.end(), std::back_inserter(samples),
                     [](const Run& run) { return run.run_type == Run::RT_Iteration; });
        if (!samples.empty()) {
            JSONReporter::ReportRuns(samples);
        }
    }
};

// Google Benchmark's own JSON of the run. The sizes take turns at random, so that a machine which
// slows down or speeds up meanwhile does it to all of them.
json run_registered(const std::string& filter) {
    std::string name = "mosrig";
    std::string choice = "--benchmark_filter=" + (filter.empty() ? "." : filter);
    std::string order = "--benchmark_enable_random_interleaving=true";
    std::array<char*, 4> arguments = {name.data(), choice.data(), order.data(), nullptr};
    int count = 3;
    benchmark::Initialize(&count, arguments.data());
    std::ostringstream text;
    std::ostringstream complaints;
    SamplesReporter reporter;
    reporter.SetOutputStream(&text);
    reporter.SetErrorStream(&complaints);
    benchmark::RunSpecifiedBenchmarks(&reporter);
    return json::parse(text.str(), nullptr, false);
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
    bench.repetitions = static_cast<size_t>(samples);
    bench.quiet = options.json;
    for (const int mib : sizes_mib) {
        benchmark::RegisterBenchmark(
            fmt::format("move/mib:{}", mib).c_str(),
            [&bench, mib](benchmark::State& state) { measure_moves(state, bench, mib); })
            ->UseManualTime()
            ->Iterations(1)
            ->Repetitions(samples)
            ->Unit(benchmark::kMillisecond);
    }
    json result = run_registered(options.filter);
    if (!bench.quiet && isatty(STDOUT_FILENO) != 0) {
        fmt::print("\n");
    }
    if (!result.is_object()) {
        result = json::object();
        if (bench.failure.empty() && !bench.samples.empty()) {
            bench.failure = "Google Benchmark's report is no JSON";
        }
    }
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
