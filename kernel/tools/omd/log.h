// SPDX-License-Identifier: GPL-2.0-only
// The daemon's log: one line an event, with the time, in one write.
#pragma once

#include <fmt/format.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/fd.h"
#include "common/result.h"

namespace mosrig {

/// Lets a burst through, then one line a period, and counts what it kept back.
class RateLimit {
  public:
    using Instant = std::chrono::steady_clock::time_point;
    RateLimit(unsigned burst, std::chrono::milliseconds period) : burst_(burst), period_(period) {}

    /// May a line be written now? Sets @p kept_back to the lines suppressed since the last one.
    bool allow(Instant now, std::uint64_t& kept_back);

  private:
    unsigned burst_;
    std::chrono::milliseconds period_;
    Instant full_until_{};
    std::uint64_t suppressed_ = 0;
};

class Log {
  public:
    /// Writes to a descriptor, for instance 2.
    explicit Log(int fd) : fd_(fd) {}
    /// Appends to a file, which is made if needed; open() again after it was rotated.
    Result<void> open(const std::string& path);

    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        write(fmt::format(format, std::forward<Args>(args)...));
    }
    /// For lines that a stranger can cause.
    template <class... Args>
    void limited_line(fmt::format_string<Args...> format, Args&&... args) {
        write_limited(fmt::format(format, std::forward<Args>(args)...));
    }

  private:
    void write(std::string_view text);
    void write_limited(const std::string& text);

    int fd_;
    Fd file_;
    RateLimit limit_{20, std::chrono::seconds(2)};
};

}  // namespace mosrig
