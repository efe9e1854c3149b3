// SPDX-License-Identifier: GPL-2.0-only
// A report as text for a person, as a line of a table, as JSON.
#pragma once

#include <string>

#include "moswhy/report.h"

namespace mosrig {

// Breaks text at blanks so that no line is longer than `width` where that is possible; each line
// starts with `indent`, the first with `first`.
std::string wrap(const std::string& text, const std::string& first, const std::string& indent,
                 std::size_t width = 79);

// Paragraphs of plain words. They and the short form do nothing to a terminal, whatever a process
// calls itself.
std::string render_text(const Report& report);

// The short form, without a newline: "stays: clone_vm: thread 5 (x) and 2 more".
std::string render_summary(const Report& report);

nlohmann::json render_json(const Report& report);

}  // namespace mosrig
