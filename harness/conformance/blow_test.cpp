// SPDX-License-Identifier: MIT
#include "harness/conformance/blow.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

// On nodes that are `slow` times as slow as the reference.
Stage stage_of(int slow) {
    return {{},
            [slow](std::string name, Millis nominal) {
                return Deadline(std::move(name), nominal * slow);
            },
            [](const Check&) {}};
}

Check noticed_after(Millis time, const Blow& blow) {
    Stage stage = stage_of(1);
    expect_noticed(stage, blow, "it is told", blow.fell + time);
    return stage.judge.checks().front();
}

TEST(Blow, SilenceIsNoticedAsTheTimeOfALinkRunsOut) {
    const Blow blow = silent_blow(Clock::now());
    EXPECT_TRUE(noticed_after(Millis(17000), blow).ok);
    const Check late = noticed_after(Millis(17010), blow);
    EXPECT_FALSE(late.ok);
    EXPECT_EQ(late.check, "it is told within 17.0 s");
    EXPECT_EQ(late.detail, "after 17.01 s");
}

TEST(Blow, WhatIsKnownAtOnceIsToldAtOnce) {
    const Blow blow = plain_blow(stage_of(1), Clock::now());
    const Check soon = noticed_after(Millis(120), blow);
    EXPECT_TRUE(soon.ok);
    EXPECT_EQ(soon.detail, "after 0.12 s") << "the report shows how long it took";
    EXPECT_FALSE(noticed_after(Millis(2001), blow).ok);
}

TEST(Blow, ASlowNodeMayTakeLongerToSayItButNotAsLongAsSilence) {
    EXPECT_EQ(plain_blow(stage_of(3), Clock::now()).limit, Millis(6000));
    EXPECT_EQ(plain_blow(stage_of(30), Clock::now()).limit, Millis(10000));
}

}  // namespace
}  // namespace mosrig
