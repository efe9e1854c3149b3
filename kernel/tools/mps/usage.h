// SPDX-License-Identifier: GPL-2.0-only
// What mtop shows: processes by what they used between two looks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mps/row.h"
#include "screen/line.h"

namespace mosrig {

struct Look {
    std::vector<ProcessRow> rows;
    double seconds = 0;  // of a clock that never steps back
};

enum class Order { cpu, memory, node };

// The screen: `now`, with the CPU time used since `before`, the greediest first.
Lines render_top(const Look& before, const Look& now, Order order, const std::string& title,
                 std::size_t width, std::size_t height);

}  // namespace mosrig
