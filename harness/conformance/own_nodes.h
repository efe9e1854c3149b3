// SPDX-License-Identifier: MIT
// A described case that wants other nodes than the cluster has: they are booted for it, beside.
#pragma once

#include <filesystem>

#include "harness/base/result.h"
#include "harness/cluster/lifecycle.h"
#include "harness/journal/journal.h"
#include "harness/verdict/case_result.h"
#include "harness/workload/description.h"

namespace mosrig {

// Boots two nodes as the case wants them beside the cluster `info`, plays it there, journals it as
// any other, and takes them down again. A node that does not come up is a verdict; an error is a
// journal that cannot be written. `scenes`: as in Suite.
Result<CaseResult> play_on_own_nodes(const Places& places, const ClusterInfo& info,
                                     const Description& description, Journal& journal,
                                     const std::filesystem::path& scenes);

}  // namespace mosrig
