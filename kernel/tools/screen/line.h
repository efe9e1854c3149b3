// SPDX-License-Identifier: GPL-2.0-only
// Text of a screen, before anybody knows how it is shown.
#pragma once

#include <string>
#include <vector>

namespace mosrig {

enum class Style { plain, title, strong, dim };

struct Line {
    std::string text;
    Style style = Style::plain;
};

using Lines = std::vector<Line>;

// At most `height` lines of at most `width` characters.
inline void clip(Lines& lines, std::size_t width, std::size_t height) {
    if (lines.size() > height) {
        lines.resize(height);
    }
    for (Line& line : lines) {
        if (line.text.size() > width) {
            line.text.resize(width);
        }
    }
}

// The lines as plain text.
inline std::string join(const Lines& lines) {
    std::string text;
    for (const Line& line : lines) {
        text += line.text.substr(0, line.text.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

}  // namespace mosrig
