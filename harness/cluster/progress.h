// SPDX-License-Identifier: MIT
// What a person sees while something takes long.
#pragma once

#include <functional>
#include <string>

namespace mosrig {

// Called with one line without its end; may be called by several threads.
using Progress = std::function<void(const std::string&)>;

// Prints each line on standard error with the seconds since it was made in front.
Progress progress_to_stderr();

}  // namespace mosrig
