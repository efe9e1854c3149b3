// SPDX-License-Identifier: MIT
// conformance, bench, report: they need a cluster, bring one up if none runs, and then take down
// only what they brought up.
#include <fmt/format.h>

#include <memory>

#include "harness/base/interruptible.h"
#include "harness/base/subprocess.h"
#include "harness/cli/suite.h"
#include "harness/cli/verbs.h"

namespace mosrig::cli {

namespace {

// Brings the cluster up if need be and does the work on it. `work` is told whether the cluster was
// made for it.
int work_on_cluster(const Places& places, const ClusterFlags& flags,
                    const std::function<int(bool)>& work) {
    if (!flags.any() && cluster_is_running(places.state)) {
        const Result<bool> current = has_current_programs(places);
        if (!current) {
            return complain(current.error(), exit_code(current.error()));
        }
        if (!*current) {
            const auto error =
                infra_error("the running cluster has other programs than those that are built now",
                            "run `mosrig down` first");
            return complain(error.value(), exit_infra);
        }
        return work(false);
    }
    const auto outcome = bring_up(places, flags, IfDifferent::refuse, progress_to_stderr());
    return outcome ? work(*outcome != UpOutcome::already_up)
                   : complain(outcome.error(), exit_code(outcome.error()));
}

// Runs `work` on a cluster of this configuration. A cluster that was up before stays up; without
// flags any running cluster will do. One that was made for the work is taken down at its end, also
// if somebody stops it before; its consoles stay in `consoles`.
int with_cluster(const Places& places, const ClusterFlags& flags, bool keep,
                 const std::filesystem::path& consoles, const std::function<int(bool)>& work) {
    const bool ours = !cluster_is_running(places.state);
    std::error_code ignored;
    std::filesystem::remove_all(consoles, ignored);
    const auto end = run_interruptible([&]() { return work_on_cluster(places, flags, work); });
    if (!end) {
        return complain(end.error(), exit_infra);
    }
    if (!ours || (keep && !end->stopped)) {
        return end->status;
    }
    if (end->stopped) {
        fmt::print(stderr, "mosrig: stopped; the cluster that was started for this goes\n");
    }
    if (const auto kept = keep_consoles(places.state, consoles); !kept) {
        complain(kept.error(), exit_infra);
    }
    const auto down = take_down(places, progress_to_stderr());
    return down ? end->status : complain(down.error(), exit_infra);
}

void write_to(ConformanceOptions& options, const std::filesystem::path& folder) {
    options.results_dir = folder / "results";
    options.console_dir = options.results_dir / "console";
    options.report_dir = folder / "report";
}

ConformanceOptions conformance_options(const Places& places) {
    ConformanceOptions options;
    options.state = places.state;
    options.source_dir = places.source;
    options.build_dir = places.build;
    options.cache = places.cache;
    write_to(options, places.build);
    return options;
}

int render_pages(const Places& places, const ConformanceOptions& options) {
    const auto rendered = run_subprocess(
        {(places.source / "reports" / "render.py").string(), "--results",
         (options.report_dir / "results.json").string(), "--bench",
         (options.results_dir / "bench.json").string(), "--out", options.report_dir.string()},
        Deadline("the report", Millis(300'000)));
    if (!rendered) {
        return complain(rendered.error(), exit_infra);
    }
    fmt::print("{}", rendered->out);
    fmt::print(stderr, "{}", rendered->err);
    return rendered->ok() ? exit_ok : exit_infra;
}

}  // namespace

Verb add_conformance(CLI::App& parser, const Places& places) {
    struct Arguments {
        ClusterFlags flags;
        ConformanceOptions options;
        std::filesystem::path output;
        bool keep = false;
    };
    auto arguments = std::make_shared<Arguments>();
    arguments->options = conformance_options(places);
    ConformanceOptions& options = arguments->options;
    CLI::App* const app = parser.add_subcommand(
        "conformance", "Run the suite: which workloads move, why the others do not, what it costs");
    add_cluster_flags(*app, arguments->flags);
    app->add_option("--tier", options.tier, "quick, full or night")
        ->check(CLI::IsMember({"quick", "full", "night"}));
    app->add_option("--also", options.also,
                    "these of other tiers, too: ids or patterns as 'fail-*'")
        ->delimiter(',')
        ->allow_extra_args(false);
    app->add_option("cases", options.cases, "ids or patterns (default: all of the tier)");
    app->add_flag("--list", options.list, "only print the ids");
    app->add_flag("--json", options.json, "print a summary as JSON");
    app->add_option("--output", arguments->output,
                    "folder for results/ and report/ (default: where this program is)");
    app->add_flag("--keep", arguments->keep, "leave the cluster up afterwards");
    return {app, [arguments, &places] {
                ConformanceOptions& chosen = arguments->options;
                if (!arguments->output.empty()) {
                    write_to(chosen, arguments->output);
                }
                if (chosen.list) {
                    return run_conformance(chosen);
                }
                if (const int unknown = look_up_cases(chosen); unknown != 0) {
                    return unknown;
                }
                return with_cluster(places, arguments->flags, arguments->keep, chosen.console_dir,
                                    [&chosen](bool fresh) {
                                        chosen.fresh = fresh;
                                        return run_conformance(chosen);
                                    });
            }};
}

Verb add_bench(CLI::App& parser, const Places& places) {
    struct Arguments {
        ClusterFlags flags;
        BenchOptions options;
        bool keep = false;
    };
    auto arguments = std::make_shared<Arguments>();
    BenchOptions& options = arguments->options;
    options.state = places.state;
    options.results_dir = places.build / "results";
    CLI::App* const app = parser.add_subcommand("bench", "Measure what a migration costs");
    add_cluster_flags(*app, arguments->flags);
    app->add_option("--filter", options.filter, "regular expression over names");
    app->add_option("--repetitions", options.repetitions, "samples of each (default: 30)")
        ->check(CLI::PositiveNumber);
    app->add_flag("--quick", options.quick, "3 samples of each");
    app->add_flag("--json", options.json, "print the results as JSON");
    app->add_flag("--keep", arguments->keep, "leave the cluster up afterwards");
    return {app, [arguments, &places] {
                return with_cluster(places, arguments->flags, arguments->keep,
                                    arguments->options.results_dir / "bench-console",
                                    [&](bool) { return run_benchmarks(arguments->options); });
            }};
}

Verb add_report(CLI::App& parser, const Places& places) {
    auto json = std::make_shared<bool>(false);
    CLI::App* const app =
        parser.add_subcommand("report", "Write build/report from the journal of the last runs");
    app->add_flag("--json", *json, "print the path of results.json as JSON");
    return {app, [json, &places] {
                ConformanceOptions options = conformance_options(places);
                options.json = *json;
                const int status = render_results(options);
                return status == exit_ok ? render_pages(places, options) : status;
            }};
}

}  // namespace mosrig::cli
