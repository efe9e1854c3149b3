// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/decay.h"

#include <algorithm>
#include <cmath>

namespace mosrig::policy {

void DecayedUse::add(double sample, Millis span, const Decay& decay) {
    if (span <= 0) {
        return;
    }
    const double steps =
        static_cast<double>(span) / static_cast<double>(std::max<Millis>(1, decay.interval));
    const double kept = std::pow(std::clamp(decay.keep, 0.0, 1.0), steps);
    // Without forgetting, a sample weighs as much as its time.
    const double fresh = decay.keep >= 1 ? steps : 1 - kept;
    sum_ = sum_ * kept + std::clamp(sample, 0.0, 1.0) * fresh;
    weight_ = weight_ * kept + fresh;
}

double DecayedUse::value(const Decay& decay) const {
    constexpr double io_job = 0.25;
    const double average = weight_ > 0 ? sum_ / weight_ : 1.0;
    switch (decay.job) {
        case Decay::Job::cpu:
            return 1.0;
        case Decay::Job::io:
            return average * io_job;
        case Decay::Job::none:
            break;
    }
    return average;
}

}  // namespace mosrig::policy
