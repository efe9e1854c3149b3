// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

namespace mosrig::guest {

// The letter of a process's state, as /proc has it; '?' if there is no such process.
char state_of(pid_t pid);

// Waits until a process is seen in that state so many times in a row, a millisecond between; false
// if await() gives up before.
bool await_state(pid_t pid, char state, int times = 1);

// The function of the kernel's in which a process sleeps; the text lives until the next one.
const char* waits_in(pid_t pid);

// Waits until a process sleeps in a function of the kernel's whose name has that in it: only then
// it is in the call that it was to make. nullptr, or where it is seen instead.
const char* await_within(pid_t pid, const char* function);

// Waits until a process that is away computes and is in no call: what stands in for it at home
// waits for its next word then. At home there is nothing to wait for. nullptr, or where it is seen
// instead.
const char* await_no_call(pid_t pid);

// CPU time that the kernel's files show of a process, in ticks of 10 ms; -1 if they show none.
long ticks_of(pid_t pid);

// Waits until a process has computed for longer than a call takes, so that it is in none; nullptr,
// or that it does not.
const char* await_computing(pid_t pid);

// Where a process runs, as /proc tells: 0 at home; -1 if it does not.
int place_of(pid_t pid);

// Has it brought home, as an administrator of its node does with all; nullptr or what is wrong.
const char* bring_home(pid_t pid);

// The memory of a process, to be read and written; -1 with errno.
int open_memory(pid_t pid);

// Waits until a process is at home; nullptr, or where it still is.
const char* comes_home(pid_t pid);

}  // namespace mosrig::guest
