// SPDX-License-Identifier: MIT
// What a terminal shows: bytes of a program in, lines of text out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "harness/base/terminal_size.h"

struct VTerm;
struct VTermScreen;

namespace mosrig {

// Understands what an xterm does (libvterm).
class Screen {
  public:
    explicit Screen(TerminalSize size);

    void write(std::string_view bytes);
    void resize(TerminalSize size);
    // What the program has asked the terminal for since the last call, to be sent to it as if
    // typed.
    std::string take_answers();
    // The lines from the first to the last that is not empty, without blanks at their ends, parted
    // by newlines.
    [[nodiscard]] std::string text() const;

  private:
    struct Free {
        void operator()(VTerm* terminal) const;
    };

    TerminalSize size_;
    std::unique_ptr<VTerm, Free> terminal_;
    VTermScreen* screen_;  // a part of the terminal
};

}  // namespace mosrig
