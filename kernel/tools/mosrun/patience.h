// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <functional>

#include "common/result.h"

namespace mosrig {

// Asks again, after pauses, as long as the answer is EAGAIN and `patience` lasts: the node daemon
// makes new links for those that are used up. The last answer.
Result<void> ask_patiently(const std::function<Result<void>()>& ask,
                           std::chrono::milliseconds patience);

}  // namespace mosrig
