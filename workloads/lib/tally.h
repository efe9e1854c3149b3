// SPDX-License-Identifier: MIT
// Signals that anyone sends, counted: what each program does that is asked whether one was lost.
#pragma once

namespace mosrig::guest {

// Counts them from now on: SIGUSR1, the plain one, and SIGRTMIN, the real-time one. nullptr, or
// what failed.
const char* count_signals();

// COUNT is answered by how many plain ones and how many real-time ones have come; false at any
// other word.
bool tell_signals(const char* word);

}  // namespace mosrig::guest
