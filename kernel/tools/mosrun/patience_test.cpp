// SPDX-License-Identifier: GPL-2.0-only
#include "mosrun/patience.h"

#include <gtest/gtest.h>
#include <cerrno>

namespace mosrig {
namespace {

using namespace std::chrono_literals;

TEST(Patience, ALinkThatIsMadeSoonIsWaitedFor) {
    int asked = 0;
    const auto answer = ask_patiently(
        [&]() -> Result<void> { return ++asked < 4 ? fail_errno("goto", EAGAIN) : Result<void>{}; },
        60s);
    EXPECT_TRUE(answer);
    EXPECT_EQ(asked, 4);
}

TEST(Patience, AnotherRefusalIsFinal) {
    int asked = 0;
    const auto answer = ask_patiently(
        [&]() -> Result<void> {
            asked++;
            return fail_errno("goto", ENXIO);
        },
        60s);
    EXPECT_EQ(answer.error().code, ENXIO);
    EXPECT_EQ(asked, 1);
}

TEST(Patience, ItEnds) {
    int asked = 0;
    const auto answer = ask_patiently(
        [&]() -> Result<void> {
            asked++;
            return fail_errno("goto", EAGAIN);
        },
        50ms);
    EXPECT_EQ(answer.error().code, EAGAIN);
    EXPECT_GT(asked, 1);
}

}  // namespace
}  // namespace mosrig
