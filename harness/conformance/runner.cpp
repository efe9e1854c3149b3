// SPDX-License-Identifier: MIT
//
// The run: choose the cases, play them in a process of their own, and tell from the journal what
// came of it, also if that process died.
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/cli/suite.h"
#include "harness/cluster/balancer_off.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/lifecycle.h"
#include "harness/conformance/beside_cases.h"
#include "harness/conformance/own_nodes.h"
#include "harness/conformance/run_head.h"
#include "harness/conformance/suite.h"
#include "harness/journal/journal.h"
#include "harness/journal/results.h"
#include "harness/workload/description.h"

namespace mosrig {

namespace {

using nlohmann::json;

// Without a new event for this long (on the reference machine), the runner hangs.
constexpr Millis silence_allowed(180000);

// The child's status when it left cases for fresh nodes.
constexpr int status_spoiled = 4;

int report(const Error& error) {
    fmt::print(stderr, "mosrig: {}\n", error.message());
    return exit_code(error);
}

std::filesystem::path journal_file(const ConformanceOptions& options) {
    return options.results_dir / "journal.jsonl";
}

Result<std::vector<Description>> choose(const ConformanceOptions& options) {
    MOSRIG_TRY(const std::vector<Description> all,
               load_descriptions(options.source_dir / "workloads"));
    std::vector<Description> chosen;
    std::vector<std::string> words = options.cases;
    words.insert(words.end(), options.also.begin(), options.also.end());
    std::vector<std::string> ids;
    for (const Description& description : all) {
        ids.push_back(description.id);
        if (is_named(description.id, words) ||
            (options.cases.empty() && description.in_tier(options.tier))) {
            chosen.push_back(description);
        }
    }
    for (const BesideCase& one : beside_cases()) {
        ids.emplace_back(one.id);
    }
    for (const std::string& word : words) {
        if (std::none_of(ids.begin(), ids.end(),
                         [&word](const std::string& id) { return is_named(id, {word}); })) {
            return usage_error(fmt::format("there is no case '{}'", word),
                               "'mosrig conformance --list' names them");
        }
    }
    return chosen;
}

// What is played on nodes of its own, before the others.
struct First {
    std::vector<BesideCase> beside;
    std::vector<Description> described;

    [[nodiscard]] size_t size() const { return beside.size() + described.size(); }
};

void plan(json& planned, const std::vector<Description>& cases) {
    for (const Description& description : cases) {
        planned.push_back(
            {{"id", description.id},
             {"title", description.title},
             {"tier", description.tier},
             {"expected", to_string(description.decisive().manual.value_or(Answer::none))}});
    }
}

json plan_of(const First& first, const std::vector<Description>& cases) {
    json planned = json::array();
    for (const BesideCase& one : first.beside) {
        planned.push_back({{"id", one.id}, {"title", one.title}, {"expected", "none"}});
    }
    plan(planned, first.described);
    plan(planned, cases);
    return planned;
}

// The child: plays the cases and leaves everything it has to say in the journal.
[[noreturn]] void play_and_exit(const ConformanceOptions& options,
                                const std::vector<Description>& cases, size_t total,
                                bool from_boot) {
    // It must not outlive the one who watches it.
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Result<Cluster> cluster = Cluster::open(options.state);
    if (!cluster) {
        ::_exit(report(cluster.error()));
    }
    Result<Journal> journal = Journal::open(journal_file(options));
    if (!journal) {
        ::_exit(report(journal.error()));
    }
    Suite suite{cases, *cluster, *journal, options.results_dir / "scenes", total - cases.size(),
                total, {}};
    for (const Node& node : cluster->nodes()) {
        // What a node said before it was handed to us is not ours to judge.
        suite.seen.push_back(from_boot ? Console::Mark{}
                                       : node.console().mark().value_or(Console::Mark{}));
    }
    {
        const auto off = BalancerOff::begin(*cluster);
        if (!off) {
            ::_exit(report(off.error()));
        }
        run_suite(suite);
    }
    (void)std::fflush(nullptr);
    ::_exit(suite.spoiled ? status_spoiled : 0);
}

struct Ending {
    bool hung = false;
    int status = 0;  // as waitpid gives it
};

// Waits for the child, and ends it if the journal stands still for too long.
Ending watch(pid_t child, const std::filesystem::path& journal, Millis allowed) {
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    Ending ending;
    std::uintmax_t size = 0;
    Deadline silence("a new event in the journal", allowed);
    for (;;) {
        struct pollfd ended = {handle.get(), POLLIN, 0};
        if (::poll(&ended, 1, 1000) > 0) {
            break;
        }
        std::error_code error;
        const std::uintmax_t now = std::filesystem::file_size(journal, error);
        if (now != size) {
            size = now;
            silence = Deadline("a new event in the journal", allowed);
        } else if (silence.expired()) {
            ending.hung = true;
            (void)::kill(child, SIGKILL);
            break;
        }
    }
    (void)::waitpid(child, &ending.status, 0);
    return ending;
}

// NOLINTNEXTLINE(bugprone-exception-escape): what moves a json only asserts
struct Progress {
    std::set<std::string> ended;
    std::string open;  // id of the case that began and did not end
    json open_event;   // its case_begin
};

Progress read_progress(const std::filesystem::path& journal) {
    Progress progress;
    for (const json& event : read_journal(journal).value_or(std::vector<json>())) {
        const std::string kind = event.value("event", "");
        if (kind == "case_begin") {
            progress.open = event.value("id", "");
            progress.open_event = event;
        } else if (kind == "case_end" || kind == "runner_died") {
            progress.ended.insert(event.value("id", ""));
            progress.open.clear();
        }
    }
    return progress;
}

// Why a case that never ended did not: what the consoles say counts first.
json obituary(const ClusterInfo& info, const Progress& progress, const Ending& ending) {
    json event = {{"event", "runner_died"}, {"id", progress.open}};
    for (const NodeInfo& node : info.nodes) {
        const Console console(node.console);
        const json offsets = progress.open_event.value("console", json::object());
        const auto reports = console.reports_since({offsets.value(node.name, std::uint64_t{0})});
        for (const KernelReport& report : reports ? *reports : std::vector<KernelReport>()) {
            event["verdict"] = to_string(Verdict::kernel);
            event["why"] = fmt::format("{}: {}", node.name, report.line);
            event["console"][node.name].push_back(report.excerpt);
        }
    }
    if (event.contains("verdict")) {
        return event;
    }
    event["verdict"] = to_string(ending.hung ? Verdict::timeout : Verdict::infra);
    event["why"] = ending.hung ? std::string("nothing happened any more in this case")
                   : WIFSIGNALED(ending.status)
                       ? fmt::format("the runner was ended by signal {}", WTERMSIG(ending.status))
                       : fmt::format("the runner ended with status {} in the middle of this case",
                                     WEXITSTATUS(ending.status));
    return event;
}

// The same cluster again, from power-on.
Result<void> restart_cluster(const ConformanceOptions& options) {
    fmt::print("a node is not fit for the next case: all nodes are started afresh\n");
    (void)std::fflush(stdout);
    MOSRIG_CHECK(keep_consoles(options.state, options.console_dir));
    const std::string program = (options.build_dir / "mosrig").string();
    MOSRIG_TRY(const std::vector<std::string> flags, words_of_start(options.state));
    std::vector<std::string> up = {program, "up"};
    up.insert(up.end(), flags.begin(), flags.end());
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{program, "down"}, up}) {
        MOSRIG_TRY(const CommandResult result,
                   run_subprocess(command, Deadline("fresh nodes", Millis(900000))));
        if (!result.ok()) {
            return tl::unexpected(Error{
                ErrorKind::boot, "the nodes cannot be started afresh: " + result.err, {}, {}, 0});
        }
    }
    return {};
}

Result<void> play_first(const ConformanceOptions& options, const ClusterInfo& info,
                        Journal& journal, const First& first, size_t total) {
    const Places places{options.state, options.source_dir, options.build_dir, options.cache};
    BesidePlayer player(places, info);
    size_t number = 0;
    for (const BesideCase& one : first.beside) {
        MOSRIG_CHECK(journal.append({{"event", "case_begin"}, {"id", one.id}}));
        const Clock::time_point start = Clock::now();
        CaseResult result = player.play(one);
        result.duration_s = std::chrono::duration<double>(Clock::now() - start).count();
        MOSRIG_CHECK(
            journal.append({{"event", "case_end"}, {"id", one.id}, {"case", to_json(result)}}));
        show_case(++number, total, result);
    }
    for (const std::vector<Description>& part : part_by_nodes(first.described)) {
        MOSRIG_CHECK(play_on_own_nodes(
            places, info, part, journal, options.results_dir / "scenes",
            [&](const CaseResult& result) { show_case(++number, total, result); }));
    }
    return {};
}

// Plays all cases, with a new process after each death of one.
Result<void> play_all(const ConformanceOptions& options, const ClusterInfo& info, Millis allowed,
                      Journal& journal, std::vector<Description> cases, size_t total) {
    bool from_boot = options.fresh;
    while (!cases.empty()) {
        (void)std::fflush(nullptr);
        const pid_t child = ::fork();
        if (child < 0) {
            return errno_error("cannot start the runner", errno);
        }
        if (child == 0) {
            play_and_exit(options, cases, total, from_boot);
        }
        const Ending ending = watch(child, journal_file(options), allowed);
        const Progress progress = read_progress(journal_file(options));
        const size_t before = cases.size();
        if (!progress.open.empty()) {
            const json death = obituary(info, progress, ending);
            fmt::print("{:<24} {:<7} {}\n", progress.open, death.value("verdict", ""),
                       death.value("why", ""));
            MOSRIG_CHECK(journal.append(death));
        }
        cases.erase(std::remove_if(cases.begin(), cases.end(),
                                   [&progress](const Description& description) {
                                       return progress.ended.count(description.id) != 0 ||
                                              description.id == progress.open;
                                   }),
                    cases.end());
        if (cases.size() == before) {
            return infra_error("the runner of the cases ends before it begins one");
        }
        const bool left = WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0;
        if (!cases.empty() && !left) {
            MOSRIG_CHECK(journal.append({{"event", "cluster_restarted"}}));
            MOSRIG_CHECK(restart_cluster(options));
            from_boot = true;
        }
    }
    return {};
}

// Writes results.json and tells a person what is in it.
Result<json> write_and_tell(const ConformanceOptions& options) {
    MOSRIG_TRY(json results, write_results(journal_file(options), options.report_dir));
    std::map<std::string, int> count;
    std::vector<std::string> bad;
    for (const json& entry : results["cases"]) {
        const std::string word = entry.value("verdict", "");
        ++count[word];
        if (word != "PASS" && word != "SKIP") {
            bad.push_back(fmt::format("{} {}", word, entry.value("id", "")));
        }
    }
    for (const std::string& id : wrongly_skipped(results)) {
        bad.push_back(fmt::format("SKIP {}, which must not be", id));
    }
    const std::string file = (options.report_dir / "results.json").string();
    if (options.json) {
        fmt::print("{}\n", json({{"results", file}, {"count", count}}).dump());
    } else {
        std::string summary;
        for (const auto& [word, number] : count) {
            summary += fmt::format("{} {}  ", number, word);
        }
        fmt::print("{}-> {}\n", summary, file);
        for (const std::string& line : bad) {
            fmt::print("  {}\n", line);
        }
    }
    return results;
}

int conclude(const ConformanceOptions& options) {
    const Result<json> results = write_and_tell(options);
    return results ? run_exit_code(verdicts(*results), !wrongly_skipped(*results).empty())
                   : report(results.error());
}

// What is to be run, on which cluster.
struct Plan {
    ClusterInfo info;
    Calibration calibration;
    First first;
    std::vector<Description> cases;
};

Result<Plan> make_plan(const ConformanceOptions& options, const std::vector<Description>& chosen) {
    MOSRIG_TRY(ClusterInfo info, load_cluster_info(options.state));
    MOSRIG_TRY(Calibration calibration, Calibration::load(options.state));
    First first;
    MOSRIG_TRY(first.beside,
               choose_beside_cases(options.cases, options.also, options.tier, info.kernel_config));
    std::vector<Description> cases;
    for (const Description& one : chosen) {
        (one.wants_own_nodes() ? first.described : cases).push_back(one);
    }
    return Plan{std::move(info), calibration, std::move(first), std::move(cases)};
}

Result<void> run_all(const ConformanceOptions& options, const Plan& plan) {
    const auto& [info, calibration, first, cases] = plan;
    // What a run before this one recorded of its waits says nothing of this one.
    std::error_code ignored;
    std::filesystem::remove_all(options.results_dir / "scenes", ignored);
    MOSRIG_TRY(Journal journal, Journal::create(journal_file(options)));
    MOSRIG_CHECK(journal.append({{"event", "run_begin"},
                                 {"run", head_of_run(options, info, calibration.factor())},
                                 {"planned", plan_of(first, cases)}}));
    const Clock::time_point start = Clock::now();
    const size_t total = first.size() + cases.size();
    MOSRIG_CHECK(play_first(options, info, journal, first, total));
    MOSRIG_CHECK(
        play_all(options, info, calibration.scale(silence_allowed), journal, cases, total));
    return journal.append(
        {{"event", "run_end"},
         {"duration_s", std::chrono::duration<double>(Clock::now() - start).count()}});
}

}  // namespace

int look_up_cases(const ConformanceOptions& options) {
    const Result<std::vector<Description>> cases = choose(options);
    return cases ? 0 : report(cases.error());
}

int run_conformance(const ConformanceOptions& options) {
    const Result<std::vector<Description>> cases = choose(options);
    if (!cases) {
        return report(cases.error());
    }
    if (options.list) {
        for (const Description& description : *cases) {
            fmt::print("{:<16} {:<5}  {}\n", description.id, description.tier, description.title);
        }
        const auto beside = choose_beside_cases(options.cases, options.also, options.tier, "debug");
        for (const BesideCase& one : beside ? *beside : std::vector<BesideCase>()) {
            fmt::print("{:<16} {:<5}  {}\n", one.id, one.tier, one.title);
        }
        return 0;
    }
    const Result<Plan> plan = make_plan(options, *cases);
    if (!plan) {
        return report(plan.error());
    }
    if (const Result<void> ran = run_all(options, *plan); !ran) {
        // What was recorded until now is still a result.
        (void)report(ran.error());
        const int seen = conclude(options);
        return seen == 1 ? seen : exit_code(ran.error());
    }
    return conclude(options);
}

int render_results(const ConformanceOptions& options) {
    // What the run came to is told, but it is no failure of this verb.
    const Result<json> results = write_and_tell(options);
    return results ? 0 : report(results.error());
}

}  // namespace mosrig
