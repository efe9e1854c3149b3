// SPDX-License-Identifier: GPL-2.0-only
#include "omd/slots.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

using std::chrono::milliseconds;

TEST(Slots, EachKeyOnceAPauseAndNotMoreKeysThanAreRemembered) {
    Slots<int> slots(2, milliseconds(100));
    const auto start = Slots<int>::Instant{} + std::chrono::hours(1);
    EXPECT_TRUE(slots.take(1, start));
    EXPECT_FALSE(slots.take(1, start + milliseconds(99)));
    EXPECT_TRUE(slots.take(2, start + milliseconds(50)));
    EXPECT_FALSE(slots.take(3, start + milliseconds(99)));
    EXPECT_TRUE(slots.take(3, start + milliseconds(100))) << "the first is forgotten";
    EXPECT_FALSE(slots.take(2, start + milliseconds(149)));
    EXPECT_TRUE(slots.take(2, start + milliseconds(150)));
}

}  // namespace
}  // namespace mosrig
