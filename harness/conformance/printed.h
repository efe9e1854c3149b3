// SPDX-License-Identifier: MIT
// What a program printed on its way to its end, moved or not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/conformance/stage.h"

namespace mosrig {

struct Printed {
    std::vector<std::string> lines;
    int status = 0;
    double seconds = 0;  // until the end was seen
};

// Reads what the program prints until its end.
Result<Printed> follow(Program& program, const Deadline& deadline);

// The same; `between` runs at once and then about every `slice`, and ends it by an error.
Result<Printed> follow(Program& program, const Deadline& deadline, Millis slice,
                       const std::function<Result<void>()>& between);

// A run that moved printed what a run that did not printed, and ended as that did.
void expect_same(Stage& stage, const Printed& still, const Printed& moved);

// The first number behind a word; -1 without that word.
std::int64_t number_after(const std::string& text, const std::string& word);

}  // namespace mosrig
