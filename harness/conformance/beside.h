// SPDX-License-Identifier: MIT
// A throw-away cluster beside the one that the suite plays on: for what only a boot can show.
#pragma once

#include <functional>
#include <string>

#include "harness/base/result.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/lifecycle.h"

namespace mosrig {

// Boots a cluster of its own, named after that of `info` and `word`, with the same kernel and
// accelerator; calls `look` with it, and takes it down again. Should this program die, the other's
// `down` ends it.
Result<void> with_cluster_beside(const Places& places, const ClusterInfo& info,
                                 const std::string& word, ClusterFlags flags,
                                 const std::function<Result<void>(Cluster&)>& look);

}  // namespace mosrig
