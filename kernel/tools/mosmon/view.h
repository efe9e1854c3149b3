// SPDX-License-Identifier: GPL-2.0-only
// How mosmon shows it: lines for a screen of any size, and what its keys do.
#pragma once

#include "mosmon/model.h"
#include "screen/line.h"

namespace mosrig {

struct View {
    enum class Bar { load, memory, util, speed };
    Bar bar = Bar::load;
    bool totals = false;
    bool down = true;  // nodes that are down are shown too
    bool help = false;
    std::size_t first = 0;  // node at the top
};

// The whole screen.
Lines render(const Snapshot& snapshot, const View& view, std::size_t width, std::size_t height);

// Nodes that a screen of `height` lines has room for.
std::size_t page_of(const View& view, std::size_t height);

// Nodes that there are to be shown.
std::size_t count_shown(const Snapshot& snapshot, const View& view);

// The view after a key; `page`: nodes that a page shows, `nodes`: all there are. Unknown keys
// change nothing.
View after_key(View view, int key, std::size_t page, std::size_t nodes);

// "#####     ": `value` of `full` in `width` characters.
std::string bar(double value, double full, std::size_t width);

}  // namespace mosrig
