// SPDX-License-Identifier: MIT
#pragma once

namespace mosrig {

// How many characters a terminal shows.
struct TerminalSize {
    int rows = 24;
    int columns = 80;
};

}  // namespace mosrig
