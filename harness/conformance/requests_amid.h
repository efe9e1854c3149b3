// SPDX-License-Identifier: MIT
// Requests, and what becomes of them while the one before is under way.
#pragma once

#include <string>

#include "harness/conformance/stage.h"

namespace mosrig {

// How long a request may take, and what follows from it.
constexpr Millis request_time(10000);

// Writes to goto of a process of home. `error`: the name of the errno that is due, or nothing.
Result<void> expect_goto_answer(Stage& stage, std::int64_t pid, const std::string& text,
                                const std::string& error);

// Stops moves at a message, and then asks for something else, or changes what the process is.
// `subject` is at home before and after.
Result<void> ask_amid_a_move(Stage& stage, Subject& subject);

}  // namespace mosrig
