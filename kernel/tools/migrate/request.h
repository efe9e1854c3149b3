// SPDX-License-Identifier: GPL-2.0-only
// What has become of a request to migrate: pure decisions on what /proc showed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/process.h"

namespace mosrig {

// One look at a process.
struct Sight {
    bool alive = false;
    long where = 0;     // 0 at home, else a node
    long pending = 0;   // goto
    long moves = 0;     // nmigs
    std::string state;  // of migstat, as are the following
    int error = 0;
    std::string result;
    std::string home_reason;
    std::string requested;  // requested_ns
};

// Reads the files one after the other; they can be a moment apart.
Sight look_at(const Process& process);

// Whether it is at `target`: a node, or 0 for home.
bool is_there(const Sight& sight, long target);

enum class Outcome {
    waiting,  // not carried out yet
    moved,    // it is where it should be
    passed,   // it was there and has come home again
    refused,  // the kernel gave up; see Sight::error
    dropped,  // no longer pending, and not moved: somebody cancelled it
    ended,    // the process is gone
};

// `before` was seen just before the request was written, `now` later. `target`: node, 0 home.
Outcome judge(const Sight& before, const Sight& now, long target);

}  // namespace mosrig
