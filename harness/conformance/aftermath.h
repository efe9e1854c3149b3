// SPDX-License-Identifier: MIT
// What became of a process, and of the cluster, after something was taken from under it: one live
// copy, or a death that was reported.
#pragma once

#include <cstdint>
#include <string>

#include "harness/conformance/stage.h"

namespace mosrig {

enum class Outcome { at_home, away, dead, unclear };

const char* to_string(Outcome outcome);

// Waits until it is clear what became of the process. One that lives has to answer, and well.
Result<Outcome> settle(Stage& stage, Subject& subject);

// Whoever started the program learns that it was killed.
Result<void> expect_killed(Stage& stage, Subject& subject, const Deadline& deadline);

// A dead one has been reported as such, and a live one ends now.
Result<void> end(Stage& stage, Subject& subject, Outcome outcome);

// Its home, or its link to it, is gone: whatever ran for it on the guest ends by itself.
Result<void> expect_no_bodies(Stage& stage, std::int64_t pid);

// A process moves, and is intact, and comes home; `when` is for the reader.
Result<void> expect_usable(Stage& stage, const Run& run, const std::string& when);

}  // namespace mosrig
