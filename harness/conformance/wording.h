// SPDX-License-Identifier: MIT
// Whether what a program says has what a description wants of it.
#pragma once

#include <cstdint>
#include <string>

namespace mosrig {

// Whether a text has a match of that pattern; ^ and $ are of each line.
bool says(const std::string& text, const std::string& pattern);

// A text with that number for each mark, which is PID or the like.
std::string with_number(std::string text, const std::string& mark, std::int64_t number);

// A text that shows numbers, which differ from run to run, as '#'.
std::string mask_digits(const std::string& text);

// A text as if it had never been broken into lines: one blank for any space.
std::string unwrapped(const std::string& text);

}  // namespace mosrig
