// SPDX-License-Identifier: MIT
#include "harness/cluster/balancer_off.h"

#include <fmt/format.h>

#include <cerrno>

namespace mosrig {

namespace {

constexpr const char* stay_file = "/proc/hpc/admin/stay";
constexpr Millis patience(5000);

}  // namespace

Result<std::unique_ptr<BalancerOff>> BalancerOff::begin(Cluster& cluster) {
    std::unique_ptr<BalancerOff> off(new BalancerOff(cluster));  // NOLINT: private constructor
    for (Node& node : cluster.nodes()) {
        Result<std::string> before =
            node.read_file(stay_file, cluster.deadline("the balancer of " + node.name(), patience));
        if (!before && before.error().sys_errno != ENOENT) {
            return tl::unexpected(before.error());
        }
        off->before_.push_back(before.value_or(""));
        if (!before) {
            continue;
        }
        MOSRIG_TRY(
            const int error,
            node.write_file(stay_file, "1", cluster.deadline("an end of balancing", patience)));
        if (error != 0) {
            return errno_error(fmt::format("{}: cannot set {}", node.name(), stay_file), error);
        }
    }
    return off;
}

BalancerOff::~BalancerOff() {
    for (size_t index = 0; index < before_.size(); ++index) {
        if (!before_[index].empty()) {
            // A node that has gone has nothing to be restored.
            (void)cluster_.nodes()[index].write_file(
                stay_file, before_[index], cluster_.deadline("balancing as before", patience));
        }
    }
}

}  // namespace mosrig
