// SPDX-License-Identifier: MIT
// Described cases that want other nodes than the cluster has: those are booted for them, beside.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "harness/base/result.h"
#include "harness/cluster/lifecycle.h"
#include "harness/journal/journal.h"
#include "harness/verdict/case_result.h"
#include "harness/workload/description.h"

namespace mosrig {

// `cases`, parted into those that can be played on the same nodes, one after the other. The order
// of the first of each is kept.
std::vector<std::vector<Description>> part_by_nodes(const std::vector<Description>& cases);

// Boots two nodes as these cases want them beside the cluster `info`, plays them there, journals
// them as any others, and takes the nodes down again. After a case that did not pass the others get
// new nodes. Nodes that do not come up are a verdict of all cases that are left; an error is a
// journal that cannot be written. `done` hears of each result; `scenes`: as in Suite.
Result<void> play_on_own_nodes(const Places& places, const ClusterInfo& info,
                               const std::vector<Description>& cases, Journal& journal,
                               const std::filesystem::path& scenes,
                               const std::function<void(const CaseResult&)>& done);

}  // namespace mosrig
