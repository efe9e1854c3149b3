// SPDX-License-Identifier: GPL-2.0-only
#include "omd/log.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <algorithm>

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

TEST(Log, AStrangersKnockingDoesNotKeepBackWhatHappensInTheCluster) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    const Fd out(ends[0]);
    const Fd in(ends[1]);
    Log log(in.get());
    for (int i = 0; i < 100; i++) {
        log.stranger_line("refused a connection from {}", i);
    }
    log.limited_line("node {} is down", 7);
    std::string text(1U << 16U, '\0');
    text.resize(static_cast<std::size_t>(
        std::max<ssize_t>(0, ::read(out.get(), text.data(), text.size()))));
    EXPECT_NE(text.find("from 19\n"), std::string::npos);
    EXPECT_EQ(text.find("from 30\n"), std::string::npos);
    EXPECT_NE(text.find("node 7 is down"), std::string::npos);
}

}  // namespace
}  // namespace mosrig
