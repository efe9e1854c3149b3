// SPDX-License-Identifier: MIT
#include "harness/conformance/own_nodes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/cluster/balancer_off.h"
#include "harness/conformance/beside.h"
#include "harness/conformance/suite.h"

namespace mosrig {

namespace {

constexpr int how_many = 2;

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

Result<CaseResult> play_on_own_nodes(const Places& places, const ClusterInfo& info,
                                     const Description& description, Journal& journal,
                                     const std::filesystem::path& scenes) {
    ClusterFlags flags;
    flags.nodes = how_many;
    flags.image = info.image_kind;
    flags.more = {fmt::format("--vcpus={}", description.vcpus)};
    CaseResult result;
    const Result<void> played =
        with_cluster_beside(places, info, "own", flags, [&](Cluster& cluster) -> Result<void> {
            MOSRIG_TRY(const auto off, BalancerOff::begin(cluster));
            // From its boot on, what these nodes say is this case's.
            Suite suite{{description},
                        cluster,
                        journal,
                        scenes,
                        0,
                        1,
                        std::vector<Console::Mark>(cluster.nodes().size())};
            prepare_nodes(cluster);
            result = play_case(suite, description);
            return {};
        });
    // If it was played, nodes that did not end well are no news of this case.
    return played || !result.id.empty() ? Result<CaseResult>(result)
                                        : tell_trouble(description, journal, played.error());
}

}  // namespace mosrig
