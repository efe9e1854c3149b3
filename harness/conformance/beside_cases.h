// SPDX-License-Identifier: MIT
// The cases that need nodes of their own: they are played beside the cluster, before the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/lifecycle.h"
#include "harness/conformance/boot_profiles.h"
#include "harness/conformance/checkers.h"
#include "harness/verdict/case_result.h"

namespace mosrig {

struct BesideCase {
    const char* id;
    const char* title;
    const char* tier;  // "debug": on each run with a debug kernel, and on no other
    // One of these says how it is played.
    const Checker* checker = nullptr;
    const ProfileCase* profile = nullptr;
};

const std::vector<BesideCase>& beside_cases();

// Those that are named, or, if none is, those of the tier; and those of `also`. An error if one
// that is named needs a kernel other than `kernel_config`.
Result<std::vector<BesideCase>> choose_beside_cases(const std::vector<std::string>& names,
                                                    const std::vector<std::string>& also,
                                                    const std::string& tier,
                                                    const std::string& kernel_config);

// Plays them beside the cluster `info`.
class BesidePlayer {
  public:
    BesidePlayer(Places places, const ClusterInfo& info)
        : places_(std::move(places)), info_(info) {}

    // All of a case but its duration.
    CaseResult play(const BesideCase& one);

  private:
    Places places_;
    const ClusterInfo& info_;
    // All cases about the boot look at the same nodes.
    std::optional<Result<std::vector<BootedNode>>> booted_;
};

}  // namespace mosrig
