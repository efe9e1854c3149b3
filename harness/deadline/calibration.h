// SPDX-License-Identifier: MIT
// One measured factor by which all deadlines of a cluster are scaled: emulation, a debug kernel
// and a busy host each slow a node down, and no constant fits them all.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"

namespace mosrig {

class Calibration {
  public:
    // Factor 1: as fast as the reference (a KVM guest with the base kernel on an idle host).
    Calibration() = default;
    // `factor` is clamped to 1 ... 30.
    explicit Calibration(double factor);

    // The factor for a node that took `measured` for the probe (`mosrig-run calibrate`: 50 times
    // fork, exec and wait), which takes `reference` on the reference.
    static Calibration from_probe(std::chrono::microseconds measured);

    // Reads what `up` stored in the state directory; an infra error if there is none.
    static Result<Calibration> load(const std::filesystem::path& state);
    [[nodiscard]] Result<void> save(const std::filesystem::path& state) const;

    [[nodiscard]] double factor() const { return factor_; }
    [[nodiscard]] Millis scale(Millis nominal) const;
    // A deadline `nominal` from now on the reference, scaled to this cluster.
    [[nodiscard]] Deadline deadline(std::string name, Millis nominal) const;

  private:
    double factor_ = 1.0;
};

}  // namespace mosrig
