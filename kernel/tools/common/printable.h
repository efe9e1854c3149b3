// SPDX-License-Identifier: GPL-2.0-only
// Text of others on somebody's terminal.
#pragma once

#include <string>
#include <string_view>

namespace mosrig {

// `text` with '?' for each byte that could do something to a terminal rather than be shown:
// control characters, those above ASCII too, and what is no UTF-8. `lines`: newlines stay.
std::string printable(std::string_view text, bool lines = false);

}  // namespace mosrig
