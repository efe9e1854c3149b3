// SPDX-License-Identifier: MIT
#include "harness/fabric/impairment.h"

#include <fmt/format.h>

#include <algorithm>

namespace mosrig::fabric {

namespace {

constexpr int max_delay_ms = 10'000;
constexpr int max_permille = 1000;

Result<int> number_of(const nlohmann::json& text, const char* key, int most) {
    const auto found = text.find(key);
    if (found == text.end()) {
        return 0;
    }
    const bool fits = found->is_number_integer() && *found >= 0 && *found <= most;
    return fits ? Result<int>(found->get<int>())
                : usage_error(fmt::format("{} has to be a number from 0 to {}", key, most));
}

}  // namespace

Result<Impairment> parse_impairment(const nlohmann::json& text) {
    if (!text.is_object()) {
        return usage_error("not an impairment");
    }
    MOSRIG_TRY(const int delay, number_of(text, "delay_ms", max_delay_ms));
    MOSRIG_TRY(const int loss, number_of(text, "loss_permille", max_permille));
    return Impairment{Millis(delay), loss};
}

nlohmann::json to_json(const Impairment& impairment) {
    return {{"delay_ms", impairment.delay.count()}, {"loss_permille", impairment.loss_permille}};
}

bool DelayLine::push(Clock::time_point due, PortId target, std::string_view frame) {
    if (bytes_ + frame.size() > byte_limit_) {
        return false;
    }
    bytes_ += frame.size();
    // The delay may have been made shorter meanwhile.
    const Clock::time_point earliest = frames_.empty() ? due : frames_.back().due;
    frames_.push_back({std::max(due, earliest), target, std::string(frame)});
    return true;
}

std::optional<DelayLine::Frame> DelayLine::pop(Clock::time_point now) {
    if (frames_.empty() || frames_.front().due > now) {
        return std::nullopt;
    }
    std::optional<Frame> frame(std::move(frames_.front()));
    frames_.pop_front();
    bytes_ -= frame->bytes.size();
    return frame;
}

void DelayLine::forget(PortId target) {
    std::erase_if(frames_, [&](const Frame& frame) {
        const bool gone = frame.target == target;
        bytes_ -= gone ? frame.bytes.size() : 0;
        return gone;
    });
}

int DelayLine::timeout_ms(Clock::time_point now) const {
    if (frames_.empty()) {
        return -1;
    }
    const auto left = std::chrono::ceil<Millis>(frames_.front().due - now);
    return std::max(0, static_cast<int>(left.count()));
}

}  // namespace mosrig::fabric
