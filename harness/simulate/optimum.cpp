// SPDX-License-Identifier: MIT
#include "harness/simulate/optimum.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <tuple>

namespace mosrig::simulate {

double least_makespan(const std::vector<NodeSpec>& nodes, const std::vector<JobSpec>& jobs) {
    std::vector<double> speeds;
    for (const NodeSpec& node : nodes) {
        speeds.insert(speeds.end(), node.cpus, node.speed);
    }
    std::vector<double> works;
    double latest = 0;
    for (const JobSpec& job : jobs) {
        works.push_back(job.work_ms);
        latest = std::max(latest, job.start_ms);
    }
    std::sort(speeds.rbegin(), speeds.rend());
    std::sort(works.rbegin(), works.rend());
    double longest = latest;
    double work = 0;
    double speed = 0;
    for (std::size_t i = 0; i < works.size(); i++) {
        work += works[i];
        speed += i < speeds.size() ? speeds[i] : 0;
        if (i < speeds.size() || i + 1 == works.size()) {
            longest = std::max(longest, work / speed);
        }
    }
    return longest / 1000;
}

std::uint64_t least_moves(const std::vector<NodeSpec>& nodes,
                          const std::vector<std::uint32_t>& counts) {
    // One job after the other to where it runs fastest; of equal places to one that has some.
    std::vector<std::uint32_t> target(nodes.size());
    using Place = std::tuple<double, bool, std::size_t>;
    std::priority_queue<Place> places;
    const auto offer = [&](std::size_t i) {
        const double share = std::min(1.0, static_cast<double>(nodes[i].cpus) / (target[i] + 1));
        places.emplace(nodes[i].speed * share, counts[i] > target[i], i);
    };
    for (std::size_t i = 0; i < nodes.size(); i++) {
        offer(i);
    }
    const auto jobs = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    for (std::uint64_t j = 0; j < jobs; j++) {
        const std::size_t best = std::get<2>(places.top());
        places.pop();
        target[best]++;
        offer(best);
    }
    std::uint64_t moves = 0;
    for (std::size_t i = 0; i < nodes.size(); i++) {
        moves += counts[i] > target[i] ? counts[i] - target[i] : 0;
    }
    return moves;
}

}  // namespace mosrig::simulate
