// SPDX-License-Identifier: GPL-2.0-only
#include "migrate/request.h"

#include <gtest/gtest.h>
#include <cerrno>

namespace mosrig {
namespace {

Sight at_home() {
    Sight sight;
    sight.alive = true;
    sight.state = "home";
    sight.requested = "0";
    return sight;
}

TEST(Judge, WaitsWhileTheRequestIsPendingOrUnderWay) {
    Sight now = at_home();
    now.requested = "7";
    for (const char* state : {"pending", "preparing", "frozen", "returning"}) {
        now.state = state;
        EXPECT_EQ(judge(at_home(), now, 2), Outcome::waiting) << state;
    }
    now.state = "home";
    now.pending = 2;
    EXPECT_EQ(judge(at_home(), now, 2), Outcome::waiting);
}

TEST(Judge, SeesArrivals) {
    Sight now = at_home();
    now.where = 2;
    EXPECT_EQ(judge(at_home(), now, 2), Outcome::moved);
    EXPECT_EQ(judge(now, at_home(), 0), Outcome::moved);
    now.where = -1;  // not configured: home
    EXPECT_EQ(judge(at_home(), now, 0), Outcome::moved);
}

TEST(Judge, SeesAVisitThatIsOver) {
    Sight now = at_home();
    now.moves = 2;
    EXPECT_EQ(judge(at_home(), now, 2), Outcome::passed);
}

TEST(Judge, TakesAnErrorOnlyFromItsOwnRequest) {
    Sight before = at_home();
    before.error = EAGAIN;
    Sight now = before;
    EXPECT_EQ(judge(before, now, 2), Outcome::dropped);
    now.requested = "8";
    EXPECT_EQ(judge(before, now, 2), Outcome::refused);
}

TEST(Judge, NoErrorAndNoMoveIsADroppedRequest) {
    Sight now = at_home();
    now.requested = "8";
    EXPECT_EQ(judge(at_home(), now, 2), Outcome::dropped);
}

TEST(Judge, TheWayHomeEndsWithArrivalOrError) {
    Sight away = at_home();
    away.state = "away";
    away.where = 2;
    Sight now = away;
    EXPECT_EQ(judge(away, now, 0), Outcome::waiting);
    now.requested = "9";
    now.error = EIO;
    EXPECT_EQ(judge(away, now, 0), Outcome::refused);
}

TEST(Judge, SeesTheEnd) {
    EXPECT_EQ(judge(at_home(), Sight{}, 2), Outcome::ended);
    EXPECT_FALSE(is_there(Sight{}, 0));
}

}  // namespace
}  // namespace mosrig
