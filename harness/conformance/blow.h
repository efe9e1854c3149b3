// SPDX-License-Identifier: MIT
// How soon a blow to a link, a process or a node is noticed. That is a promise in real time: it is
// looked at by the clock on the wall, and not scaled as deadlines are.
#pragma once

#include <string>

#include "harness/conformance/stage.h"

namespace mosrig {

// A side that says nothing for so long is dead: kernel/hpc/link.h, OM_LINK_TIMEOUT.
constexpr Millis link_timeout(15000);

struct Blow {
    Clock::time_point fell;  // or a moment shortly before
    Millis limit{};          // from then until it is noticed
};

// The other side is cut off, or stands still: nothing but time tells.
Blow silent_blow(Clock::time_point fell);

// A connection is reset or broken, a task is killed: that is known at once. What a slow node takes
// to say so is scaled, but never to the time after which silence would have told it, too.
Blow plain_blow(const Stage& stage, Clock::time_point fell);

// Records whether what `statement` says came about in time, and when it did.
void expect_noticed(Stage& stage, const Blow& blow, const std::string& statement,
                    Clock::time_point noticed);

// Seconds from `begin` to `end`, for a reader.
std::string seconds_between(Clock::time_point begin, Clock::time_point end);

}  // namespace mosrig
