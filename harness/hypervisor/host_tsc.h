// SPDX-License-Identifier: MIT
// The rate of this machine's time stamp counter.
//
// QEMU's TCG hands it to a guest as it is. A guest that measures it itself, against an emulated
// timer that a loaded host serves late, may be wrong by a factor and have a clock that runs that
// much too fast: better it is told.
#pragma once

#include <cstdint>

namespace mosrig {

// Ticks per millisecond (kHz), measured in about 50 ms and right to some tens of ppm; 0 if the
// machine has no such counter or it does not run evenly.
std::uint64_t host_tsc_khz();

}  // namespace mosrig
