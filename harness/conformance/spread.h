// SPDX-License-Identifier: MIT
// How soon too many on a node are spread over all, and with how many moves.
#pragma once

#include <optional>

#include "harness/conformance/placement.h"

namespace mosrig {

// When a node tells of its overload, looked at from before the first of a crew is started.
//
// The promise: one leaves for each node within two periods of information after the overload can be
// seen. Of more than one that are started after each other it may be seen from the second on; for
// those that come later nothing could be promised before they were there. So the time runs from the
// last start, or from the word of the overload, whichever is later; if that word never came, since
// they were spread before it, from the last start.
class OverloadWatch {
  public:
    explicit OverloadWatch(Stage& stage) : stage_(stage) {}

    Result<void> look();
    // The last of them is there.
    void all_started() { last_start_ = Clock::now(); }

    [[nodiscard]] Clock::time_point last_start() const { return *last_start_; }
    [[nodiscard]] Clock::time_point promised_from() const;
    // When that was, for a reader.
    [[nodiscard]] std::string words() const;

  private:
    Stage& stage_;
    std::optional<Clock::time_point> first_;  // word of an overload, whether it lasted or not
    std::optional<Clock::time_point> since_;  // of the one that lasted until the last start, or
                                              // came after it
    std::optional<Clock::time_point> last_start_;
};

// They spread as the run says, in time and with few moves, and then rest.
Result<void> expect_spread(Stage& stage, const Run& run, const Crew& crew, OverloadWatch& overload);

}  // namespace mosrig
