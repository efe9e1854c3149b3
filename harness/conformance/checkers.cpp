// SPDX-License-Identifier: MIT
#include "harness/conformance/checkers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "harness/cluster/resources.h"

namespace mosrig {

namespace {

// Room for KASAN's shadow and quarantine.
constexpr const char* memory = "--memory-mib=1024";
constexpr Millis answer_time(20000);
// What libvirt and the configuration take for a name.
constexpr size_t longest_base = 20;

// Takes a throw-away cluster down with itself.
class TakenDown {
  public:
    explicit TakenDown(const Places& places) : places_(places) {}
    TakenDown(const TakenDown&) = delete;
    TakenDown& operator=(const TakenDown&) = delete;
    TakenDown(TakenDown&&) = delete;
    TakenDown& operator=(TakenDown&&) = delete;
    ~TakenDown() { static_cast<void>(end()); }

    [[nodiscard]] Result<bool> end() const {
        return take_down(places_, [](const std::string&) {});
    }

  private:
    const Places& places_;
};

Result<ProvokedNode> look_at(const std::filesystem::path& state) {
    MOSRIG_TRY(Cluster cluster, Cluster::open(state));
    Node& node = cluster.nodes().front();
    ProvokedNode seen;
    seen.name = node.name();
    MOSRIG_TRY(seen.reports, node.console().reports_since({}));
    MOSRIG_TRY(const auto files,
               node.read_files({"/proc/self/lock", "/proc/self/where"},
                               cluster.deadline("an answer of the provoked node", answer_time)));
    MOSRIG_TRY(const std::string lock, files.at(0));
    MOSRIG_TRY(const std::string where, files.at(1));
    seen.lock = std::atoi(lock.c_str());
    seen.where = std::atoi(where.c_str());
    return seen;
}

}  // namespace

Result<ProvokedNode> boot_provoked(const Places& places, const ClusterInfo& info,
                                   const Checker& checker) {
    Places own = places;
    own.state = fmt::format("{}-{}", places.state.string(), checker.word);
    MOSRIG_CHECK(ResourceLog(places.state).record("cluster", own.state.string()));
    ClusterFlags flags;
    flags.nodes = 1;
    flags.kernel = info.kernel_config;
    flags.image = "mini";
    flags.accelerator = info.accelerator;
    flags.more = {
        fmt::format("--cluster={}-{}", info.name.substr(0, longest_base), checker.word),
        fmt::format("--kernel-dir={}", info.kernel_dir.string()),
        fmt::format("--hypervisor={}", info.hypervisor_uri),
        fmt::format("--cmdline=openmosix.provoke={}", checker.word),
        memory,
    };
    const TakenDown taken_down(own);
    MOSRIG_CHECK(bring_up(own, flags, IfDifferent::replace, [](const std::string&) {}));
    MOSRIG_TRY(ProvokedNode seen, look_at(own.state));
    MOSRIG_CHECK(taken_down.end());
    return seen;
}

CaseResult judge_checker(const Checker& checker, const Result<ProvokedNode>& node) {
    CaseResult result;
    result.id = checker.id;
    result.title = checker.title;
    result.tier = "quick";
    Judge judge;
    if (!node) {
        judge.trouble(node.error());
    } else {
        const auto found =
            std::find_if(node->reports.begin(), node->reports.end(),
                         [&checker](const KernelReport& one) { return one.kind == checker.kind; });
        const bool seen = found != node->reports.end();
        judge.check(
            fmt::format("booted with openmosix.provoke={0}, the node's console shows a "
                        "report of {0}",
                        checker.word),
            seen,
            seen ? found->line : fmt::format("{} reports of another kind", node->reports.size()));
        for (const KernelReport& report : node->reports) {
            result.console[node->name].push_back(report.excerpt);
        }
        // Of whoever asked: the node has come up and is one of ours.
        result.lock = node->lock;
        result.where = node->where;
        result.nodes = {node->name};
    }
    result.verdict = judge.verdict();
    result.reason = judge.reason();
    result.evidence = judge.checks();
    return result;
}

}  // namespace mosrig
