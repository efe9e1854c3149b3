// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/demand.h"

#include <algorithm>
#include <cmath>

namespace mosrig::policy {
void Demand::look(double share, Millis span, Millis age) {
    constexpr double fades = 10000;  // time constants, ms
    constexpr double fades_fast = 3000;
    const auto time = static_cast<double>(std::max<Millis>(1, span));
    const double lived = std::min(1.0, static_cast<double>(age) / time);
    sum_ += share * time;
    time_ += std::max<Millis>(1, span);
    const bool busy = std::max(share, last_) >= busy_from;
    possible_ = std::max(share * lived, possible_ * std::exp(-time / (busy ? fades : fades_fast)));
}

void Demand::end_period() {
    if (time_ > 0) {
        before_ = last_;
        last_ = sum_ / static_cast<double>(time_);
        sum_ = 0;
        time_ = 0;
    }
}

void Demand::expect(double share) {
    possible_ = std::max(possible_, share);
}

double Demand::sure() const {
    const double least = std::min(before_, last_);
    return least >= busy_from ? possible_ : least;
}

}  // namespace mosrig::policy
