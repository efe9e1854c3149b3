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

// Lets a burst through, then one line a period, and counts what it kept back.
class RateLimit {
  public:
    using Instant = std::chrono::steady_clock::time_point;
    RateLimit(unsigned burst, std::chrono::milliseconds period) : burst_(burst), period_(period) {}

    // May a line be written now? Sets `kept_back` to the lines suppressed since the last one.
    bool allow(Instant now, std::uint64_t& kept_back);

  private:
    unsigned burst_;
    std::chrono::milliseconds period_;
    Instant full_until_{};
    std::uint64_t suppressed_ = 0;
};

class Log {
  public:
    // Writes to a descriptor, for instance 2.
    explicit Log(int fd) : fd_(fd) {}
    // Appends to a file, which is made if needed; open() again after it was rotated.
    Result<void> open(const std::string& path);

    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        write(fmt::format(format, std::forward<Args>(args)...));
    }
    // For what can happen often: nodes that come and go, moves.
    template <class... Args>
    void limited_line(fmt::format_string<Args...> format, Args&&... args) {
        write_limited(limit_, fmt::format(format, std::forward<Args>(args)...));
    }
    // For what somebody can cause who has not proved yet to belong to the cluster. Limited by
    // itself: his knocking must not keep back what happens in the cluster.
    template <class... Args>
    void stranger_line(fmt::format_string<Args...> format, Args&&... args) {
        write_limited(strangers_, fmt::format(format, std::forward<Args>(args)...));
    }

  private:
    void write(std::string_view text);
    void write_limited(RateLimit& limit, const std::string& text);

    int fd_;
    Fd file_;
    RateLimit limit_{20, std::chrono::seconds(2)};
    RateLimit strangers_{20, std::chrono::seconds(2)};
};

}  // namespace mosrig
