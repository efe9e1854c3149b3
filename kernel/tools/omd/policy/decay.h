// SPDX-License-Identifier: GPL-2.0-only
// How much of a CPU a process wants, as its past tells, with an aging past.
#pragma once

#include "omd/policy/types.h"

namespace mosrig::policy {

class DecayedUse {
  public:
    // Adds a sample, 0 to 1, that holds for the last `span`. Of what was known before, keep to
    // the power of span/interval remains.
    void add(double sample, Millis span, const Decay& decay);

    // Average of the samples by weight; that of a declared CPU job is 1, of an I/O job a quarter
    // of what it would be. 1 as long as nothing is known.
    [[nodiscard]] double value(const Decay& decay) const;

    void clear() { *this = {}; }

  private:
    double sum_ = 0;
    double weight_ = 0;  // so that the first samples count in full, not against an invented zero
};

}  // namespace mosrig::policy
