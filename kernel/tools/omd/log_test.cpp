// SPDX-License-Identifier: GPL-2.0-only
#include "omd/log.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

using std::chrono::milliseconds;

TEST(RateLimit, ABurstThenOneAPeriod) {
    RateLimit limit(3, milliseconds(100));
    const auto start = RateLimit::Instant{} + std::chrono::hours(1);
    std::uint64_t kept_back = 0;
    unsigned allowed = 0;
    for (int i = 0; i < 10; i++) {
        allowed += limit.allow(start, kept_back) ? 1 : 0;
    }
    EXPECT_EQ(allowed, 3U);
    EXPECT_TRUE(limit.allow(start + milliseconds(100), kept_back));
    EXPECT_EQ(kept_back, 7U);
    EXPECT_FALSE(limit.allow(start + milliseconds(150), kept_back));
    EXPECT_TRUE(limit.allow(start + milliseconds(10000), kept_back));
    EXPECT_EQ(kept_back, 1U);
}

}  // namespace
}  // namespace mosrig
