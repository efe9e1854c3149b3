// SPDX-License-Identifier: GPL-2.0-only
#include "omd/pool.h"

#include <algorithm>

namespace mosrig {

unsigned PoolPolicy::due(Instant now, unsigned idle, unsigned under_way) const {
    if (now < not_before_ || idle + under_way >= limits_.idle) {
        return 0;
    }
    if (failures_ > 0) {
        return under_way == 0 ? 1 : 0;
    }
    const auto ahead = std::max(bucket_empty_at_, now) - now;
    const auto used = static_cast<unsigned>((ahead + limits_.per_connect - Clock::duration(1)) /
                                            limits_.per_connect);
    const unsigned allowed = used < limits_.burst ? limits_.burst - used : 0;
    return std::min(limits_.idle - idle - under_way, allowed);
}

Instant PoolPolicy::next(Instant now, unsigned idle, unsigned under_way) const {
    if (idle + under_way >= limits_.idle || (failures_ > 0 && under_way > 0)) {
        return Instant::max();
    }
    if (failures_ > 0) {
        return std::max(now, not_before_);
    }
    // One more connection fits once less than a full burst lies ahead.
    const auto free_at = bucket_empty_at_ - limits_.per_connect * (limits_.burst - 1);
    return std::max({now, not_before_, free_at});
}

void PoolPolicy::started(Instant now) {
    bucket_empty_at_ = std::max(bucket_empty_at_, now) + limits_.per_connect;
}

void PoolPolicy::succeeded() {
    failures_ = 0;
    not_before_ = Instant{};
}

void PoolPolicy::failed(Instant now) {
    if (now < not_before_) {
        return;  // one of several that were under way together
    }
    failures_ = std::min(failures_ + 1, 16U);
    const auto pause =
        std::min(limits_.first_pause * (1L << (failures_ - 1)), limits_.longest_pause);
    // Nodes that start together must not knock together: half to all of the pause.
    std::uniform_int_distribution<std::int64_t> jitter(pause.count() / 2, pause.count());
    not_before_ = now + std::chrono::milliseconds(jitter(random_));
}

void PoolPolicy::peer_seen() {
    if (failures_ > 0) {
        not_before_ = Instant{};
    }
}

}  // namespace mosrig
