// SPDX-License-Identifier: GPL-2.0-only
#include "common/printable.h"

#include <algorithm>

namespace mosrig {
namespace {

// Bytes of the character at the beginning of `text`; 0 if it is none that may be shown.
std::size_t shown_bytes(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return first >= ' ' && first != 0x7f ? 1 : 0;
    }
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) {
        return 0;
    }
    for (std::size_t i = 1; i < size; i++) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    // U+0080 to U+009f: some terminals take them as what ESC begins.
    return first == 0xc2 && byte(1) < 0xa0 ? 0 : size;
}

}  // namespace

std::string printable(std::string_view text, bool lines) {
    std::string clean;
    clean.reserve(text.size());
    while (!text.empty()) {
        const std::size_t size = lines && text.front() == '\n' ? 1 : shown_bytes(text);
        clean += size > 0 ? text.substr(0, size) : "?";
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return clean;
}

}  // namespace mosrig
