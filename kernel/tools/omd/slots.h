// SPDX-License-Identifier: GPL-2.0-only
// Something that anybody can cause, but each one only now and then, so that nobody takes the turn
// of another.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>

namespace mosrig {

template <class Key>
class Slots {
  public:
    using Instant = std::chrono::steady_clock::time_point;
    // `most`: keys that are remembered at a time, each for `pause`.
    Slots(std::size_t most, std::chrono::milliseconds pause) : most_(most), pause_(pause) {}

    // Is it this one's turn? No if it had one within the pause, or too many others had.
    bool take(const Key& key, Instant now) {
        const auto found = taken_.find(key);
        if (found != taken_.end() && now - found->second < pause_) {
            return false;
        }
        if (found == taken_.end() && taken_.size() >= most_) {
            std::erase_if(taken_, [&](const auto& one) { return now - one.second >= pause_; });
            if (taken_.size() >= most_) {
                return false;
            }
        }
        taken_[key] = now;
        return true;
    }

  private:
    std::size_t most_;
    std::chrono::milliseconds pause_;
    std::map<Key, Instant> taken_;
};

}  // namespace mosrig
