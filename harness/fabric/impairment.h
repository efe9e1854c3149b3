// SPDX-License-Identifier: MIT
// A bad network: frames wait, and some are lost. No sockets here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/fabric/forwarding.h"

namespace mosrig::fabric {

// What happens to the frames between any two ports, each way. The plain network does nothing.
struct Impairment {
    Millis delay{0};
    int loss_permille = 0;
};

// {"delay_ms": 40, "loss_permille": 20}; what is missing is 0. A usage error if a number is none,
// or out of bounds (10 s, 1000).
Result<Impairment> parse_impairment(const nlohmann::json& text);
nlohmann::json to_json(const Impairment& impairment);

// Loses frames at random. The same ones in each run of a program that sends the same.
class Loss {
  public:
    bool hits(int permille) { return permille > 0 && die_(random_) < permille; }

  private:
    std::minstd_rand random_;  // NOLINT(cert-msc51-cpp): not a secret, and to be repeated
    std::uniform_int_distribution<int> die_{0, 999};
};

// Frames on their way, bounded as a port's queue is: who comes when it is full is dropped.
class DelayLine {
  public:
    explicit DelayLine(std::size_t byte_limit) : byte_limit_(byte_limit) {}

    struct Frame {
        Clock::time_point due;
        PortId target;
        std::string bytes;
    };

    // False if there was no room. None arrives before one that was pushed earlier.
    bool push(Clock::time_point due, PortId target, std::string_view frame);
    // The next frame that is due, if one is.
    std::optional<Frame> pop(Clock::time_point now);
    // Forgets what is on its way to a port.
    void forget(PortId target);
    // When to look again: -1 for never, as poll(2) wants it.
    [[nodiscard]] int timeout_ms(Clock::time_point now) const;

  private:
    std::size_t byte_limit_;
    std::size_t bytes_ = 0;
    std::deque<Frame> frames_;
};

}  // namespace mosrig::fabric
