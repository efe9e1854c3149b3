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

struct Settled {
    Outcome outcome = Outcome::unclear;
    Clock::time_point answered;  // or, if it is dead, when that was reported
    Clock::time_point clear;     // when all nodes agreed
};

// Waits until it is clear what became of the process. One that lives has to answer, and well; it
// runs where its home says that it is, and nowhere else: on no other of `machines`, which are all
// that there are if none are named, and home is one of them.
Result<Settled> settle(Stage& stage, Subject& subject, Machines machines = {});

// Whether there is no such process at home, or nothing but its status is left.
Result<bool> is_dead(Stage& stage, std::int64_t pid);

// Whoever started the program learns that it was killed. Gives the moment at which he did.
Result<Clock::time_point> expect_killed(Stage& stage, Subject& subject, const Deadline& deadline);

// The log of home's kernel says whose body is lost.
Result<void> expect_loss_logged(Stage& stage, std::int64_t pid);

// A dead one has been reported as such, and a live one ends now.
Result<void> end(Stage& stage, Subject& subject, Outcome outcome);

// Its home, or its link to it, is gone: whatever ran for it elsewhere ends by itself. Gives the
// moment at which that was seen.
Result<Clock::time_point> expect_no_bodies(Stage& stage, std::int64_t pid);

// A process moves, and is intact, and comes home; `when` is for the reader.
Result<void> expect_usable(Stage& stage, const Run& run, const std::string& when);

// The same, twice: what only the first moves leave in the caches of a kernel is there afterwards.
Result<void> warm_up(Stage& stage, const Run& run, const std::string& when);

}  // namespace mosrig
