// SPDX-License-Identifier: MIT
#include "harness/conformance/own_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cluster/balancer_off.h"
#include "harness/conformance/beside.h"
#include "harness/conformance/suite.h"

namespace mosrig {

namespace {

constexpr int how_many = 2;

bool same_nodes(const Description& one, const Description& other) {
    // Of two nodes with one boot profile each, either may be home.
    return one.vcpus == other.vcpus && one.memory_mib == other.memory_mib &&
           one.boot.empty() == other.boot.empty() && one.guest_lacks == other.guest_lacks;
}

ClusterFlags flags_for(const ClusterInfo& info, const Description& description) {
    ClusterFlags flags;
    flags.nodes = how_many;
    flags.image = info.image_kind;
    if (description.vcpus != 0) {
        flags.more.push_back(fmt::format("--vcpus={}", description.vcpus));
    }
    if (description.memory_mib != 0) {
        flags.more.push_back(fmt::format("--memory-mib={}", description.memory_mib));
    }
    if (!description.boot.empty()) {
        flags.more.insert(flags.more.end(), {"--profile=open-boot", "--profile=node1=locked-boot",
                                             "--unlock-logins"});
    }
    if (!description.guest_lacks.empty()) {
        flags.more.push_back("--cpu-without=node2=" + description.guest_lacks);
    }
    return flags;
}

// What is told of a case that could not even begin.
Result<CaseResult> tell_trouble(const Description& description, Journal& journal,
                                const Error& error) {
    Judge judge;
    judge.trouble(error);
    CaseResult result;
    result.id = description.id;
    result.title = description.title;
    result.tier = description.tier;
    result.verdict = judge.verdict();
    result.reason = judge.reason();
    MOSRIG_CHECK(journal.append({{"event", "case_begin"}, {"id", result.id}}));
    MOSRIG_CHECK(
        journal.append({{"event", "case_end"}, {"id", result.id}, {"case", to_json(result)}}));
    return result;
}

}  // namespace

std::vector<std::vector<Description>> part_by_nodes(const std::vector<Description>& cases) {
    std::vector<std::vector<Description>> parts;
    for (const Description& one : cases) {
        const auto fitting = std::find_if(parts.begin(), parts.end(), [&one](const auto& part) {
            return same_nodes(part.front(), one);
        });
        if (fitting == parts.end()) {
            parts.push_back({one});
        } else {
            fitting->push_back(one);
        }
    }
    return parts;
}

Result<void> play_on_own_nodes(const Places& places, const ClusterInfo& info,
                               const std::vector<Description>& cases, Journal& journal,
                               const std::filesystem::path& scenes,
                               const std::function<void(const CaseResult&)>& done) {
    auto next = cases.begin();
    const auto play_some = [&](Cluster& cluster) -> Result<void> {
        MOSRIG_TRY(const auto off, BalancerOff::begin(cluster));
        // From its boot on, what these nodes say is these cases'.
        Suite suite{cases,
                    cluster,
                    journal,
                    scenes,
                    0,
                    cases.size(),
                    std::vector<Console::Mark>(cluster.nodes().size())};
        prepare_nodes(cluster);
        for (bool fit = true; fit && next != cases.end();) {
            const CaseResult result = play_case(suite, *next++);
            done(result);
            fit = result.verdict == Verdict::pass || result.verdict == Verdict::skip;
        }
        return {};
    };
    while (next != cases.end()) {
        const auto before = next;
        const Result<void> played =
            with_cluster_beside(places, info, "own", flags_for(info, cases.front()), play_some);
        // Nodes that did not end well are no news of the cases that were played on them.
        while (!played && next == before && next != cases.end()) {
            MOSRIG_TRY(const CaseResult result, tell_trouble(*next++, journal, played.error()));
            done(result);
        }
    }
    return {};
}

}  // namespace mosrig
