// SPDX-License-Identifier: MIT
#include "harness/node/screen.h"

#include <vterm.h>

#include <array>

namespace mosrig {

void Screen::Free::operator()(VTerm* terminal) const {
    vterm_free(terminal);
}

Screen::Screen(TerminalSize size)
    : size_(size),
      terminal_(vterm_new(size.rows, size.columns)),
      screen_(vterm_obtain_screen(terminal_.get())) {
    vterm_set_utf8(terminal_.get(), 1);
    vterm_screen_enable_altscreen(screen_, 1);
    vterm_screen_reset(screen_, 1);
}

void Screen::write(std::string_view bytes) {
    vterm_input_write(terminal_.get(), bytes.data(), bytes.size());
}

void Screen::resize(TerminalSize size) {
    size_ = size;
    vterm_set_size(terminal_.get(), size.rows, size.columns);
}

std::string Screen::take_answers() {
    std::string answers;
    std::array<char, 256> part{};
    for (size_t got = 0;
         (got = vterm_output_read(terminal_.get(), part.data(), part.size())) > 0;) {
        answers.append(part.data(), got);
    }
    return answers;
}

std::string Screen::text() const {
    constexpr size_t utf8_longest = 4;
    std::string all;
    std::string line;
    for (int row = 0; row < size_.rows; ++row) {
        line.resize(static_cast<size_t>(size_.columns) * utf8_longest);
        line.resize(vterm_screen_get_text(screen_, line.data(), line.size(),
                                          {row, row + 1, 0, size_.columns}));
        line.erase(line.find_last_not_of(' ') + 1);
        all += line + '\n';
    }
    all.erase(all.find_last_not_of('\n') + 1);
    return all;
}

}  // namespace mosrig
