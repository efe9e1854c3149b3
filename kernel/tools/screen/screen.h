// SPDX-License-Identifier: GPL-2.0-only
// The terminal by ncurses: taken while this object lives, given back as it was.
#pragma once

#include <chrono>
#include <cstddef>

#include "common/result.h"
#include "screen/line.h"

namespace mosrig {

class Screen {
  public:
    static constexpr int no_key = -1;
    static constexpr int up_key = -2;
    static constexpr int down_key = -3;
    static constexpr int page_up_key = -4;
    static constexpr int page_down_key = -5;
    static constexpr int end_key = -6;  // the terminal has gone, or a signal asks to end

    // Takes the terminal. Errors: standard input or output is none. A terminal that no description
    // is found of is taken for a vt100.
    static Result<Screen> open();

    Screen(Screen&& other) noexcept;
    Screen& operator=(Screen&&) = delete;
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    ~Screen();

    [[nodiscard]] std::size_t width() const;
    [[nodiscard]] std::size_t height() const;
    void draw(const Lines& lines) const;
    // Waits for a key: its character or one of the constants above; no_key after `patience`, and
    // at once when the size has changed.
    [[nodiscard]] int key(std::chrono::milliseconds patience) const;

  private:
    explicit Screen(void* handle) : handle_(handle) {}

    void* handle_;  // SCREEN*
};

}  // namespace mosrig
