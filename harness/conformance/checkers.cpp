// SPDX-License-Identifier: MIT
#include "harness/conformance/checkers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "harness/conformance/beside.h"

namespace mosrig {

namespace {

// Room for KASAN's shadow and quarantine.
constexpr const char* memory = "--memory-mib=1024";
constexpr Millis answer_time(20000);

Result<ProvokedNode> look_at(Cluster& cluster) {
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
    ClusterFlags flags;
    flags.nodes = 1;
    flags.image = "mini";
    flags.more = {fmt::format("--cmdline=openmosix.provoke={}", checker.word), memory};
    ProvokedNode seen;
    MOSRIG_CHECK(with_cluster_beside(places, info, checker.word, flags,
                                     [&seen](Cluster& cluster) -> Result<void> {
                                         MOSRIG_TRY(seen, look_at(cluster));
                                         return {};
                                     }));
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
