// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

namespace mosrig::guest {

// The letter of a process's state, as /proc has it; '?' if there is no such process.
char state_of(pid_t pid);

// Waits until a process is seen in that state so many times in a row, a millisecond between; false
// if that takes more than some twenty seconds.
bool await_state(pid_t pid, char state, int times = 1);

// Where a process runs, as /proc tells: 0 at home; -1 if it does not.
int place_of(pid_t pid);

}  // namespace mosrig::guest
