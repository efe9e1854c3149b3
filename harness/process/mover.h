// SPDX-License-Identifier: MIT
// Asking a process to move, in both ways that a person has: the file and the tool.
#pragma once

#include <cstdint>
#include <string>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/process/machine.h"
#include "harness/process/process_state.h"
#include "harness/verdict/case_result.h"

namespace mosrig {

// What became of a request.
struct MoveAnswer {
    Answer seen = Answer::none;
    std::string errno_name;  // of a refusal, "EBUSY"
    std::string message;     // what the tool said, or the errno in words
};

// Writes `node` (0: home) to /proc/PID/goto as `user`. A write that is accepted answers `moves`:
// the move itself takes place later, await_place() sees it.
Result<MoveAnswer> request_by_file(Machine& home, std::int64_t pid, int node, int user,
                                   const Deadline& deadline);

// The same by `migrate`, which waits for the move. A request that is still pending when the tool
// gives up is an error of kind timeout.
Result<MoveAnswer> request_by_tool(Machine& home, std::int64_t pid, int node, int user,
                                   const Deadline& deadline);

// Waits until the process is at `node` (0: home) and the move is over: home holds no page that the
// body needs, or the body's memory is home. Gives the state then. A process that has been there and
// has come home again by itself ends the wait as well: its state says where it is. A move that was
// begun and failed is an error with the errno of migstat. It looks every `interval`.
Result<ProcessState> await_place(Machine& home, std::int64_t pid, int node,
                                 const Deadline& deadline, Millis interval = Millis(20));

// What brought a process home, as migstat says it; "?" if it says nothing.
std::string home_reason(const ProcessState& state);

// "EBUSY" for 16; "errno 999" for a number without a name.
std::string errno_name(int number);

}  // namespace mosrig
