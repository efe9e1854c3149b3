// SPDX-License-Identifier: MIT
// Long work that a person or a CI server may stop.
#pragma once

#include <functional>

#include "harness/base/result.h"

namespace mosrig {

// How the work ended.
struct WorkEnd {
    int status = 0;        // its exit status, or 128 + the signal that ended it
    bool stopped = false;  // this process was told to end by SIGINT, SIGTERM or SIGHUP
};

// Runs `work` in a child process, whose exit status is what it returns. A signal that asks this
// process to end goes to the child and all its children instead, so that the caller can still clear
// up after them; until then such signals wait.
Result<WorkEnd> run_interruptible(const std::function<int()>& work);

}  // namespace mosrig
