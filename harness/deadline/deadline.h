// SPDX-License-Identifier: MIT
// Every wait has a name, a condition and an end.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "harness/base/result.h"

namespace mosrig {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

// A point in time by which something, which has a name, must have happened.
class Deadline {
  public:
    // `name` completes the sentence "waited too long for ...".
    Deadline(std::string name, Millis from_now);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] Millis total() const { return total_; }
    // Time left, never negative.
    [[nodiscard]] Millis remaining() const;
    // Time left as poll(2) wants it, at most `cap`.
    [[nodiscard]] int poll_timeout(Millis cap = Millis(1000 * 60 * 60)) const;
    [[nodiscard]] bool expired() const { return remaining() == Millis(0); }
    // `observer` hears of the error before error() returns it, with its text.
    void on_expiry(std::function<void(const std::string&)> observer) {
        observer_ = std::move(observer);
    }
    // The error to return once expired; `detail` says what was seen instead, may be empty.
    [[nodiscard]] tl::unexpected<Error> error(const std::string& detail = {}) const;

  private:
    std::string name_;
    Millis total_;
    Clock::time_point end_;
    std::function<void(const std::string&)> observer_;
};

// Asks `done` again and again, `interval` apart, until it gives true, gives an error, or the
// deadline passes. For conditions that nothing announces; where a descriptor announces them,
// poll that.
Result<void> wait_until(const Deadline& deadline, const std::function<Result<bool>()>& done,
                        Millis interval = Millis(20));

// The same, for what need not come true: false if the deadline passed.
Result<bool> comes_true(const Deadline& deadline, const std::function<Result<bool>()>& done,
                        Millis interval = Millis(20));

}  // namespace mosrig
