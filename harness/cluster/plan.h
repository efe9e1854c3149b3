// SPDX-License-Identifier: MIT
// From cluster.yml and flags to files: runs provision/render.py and reads what it resolved.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/lifecycle.h"
#include "harness/cluster/seed.h"

namespace mosrig {

// Renders into the state directory, with the accelerator that works here unless the flags say one.
Result<ClusterInfo> plan_cluster(const Places& places, const ClusterFlags& flags,
                                 const Progress& progress);

// A digest of all that makes the cluster what it is: resolved configuration, domains, seeds,
// programs. Without the keys, which are new at each start.
Result<std::string> plan_digest(const Places& places, const ClusterInfo& info);

// A digest of the programs for the nodes.
std::string digest_programs(const SeedFiles& programs);

// The same of those that are built now.
Result<std::string> programs_digest(const Places& places);

}  // namespace mosrig
