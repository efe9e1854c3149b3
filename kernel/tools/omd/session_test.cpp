// SPDX-License-Identifier: GPL-2.0-only
#include "omd/session.h"

#include <gtest/gtest.h>
#include <sodium.h>

namespace mosrig {
namespace {

using Outcome = Session::Outcome;

// Node 1 writes to node 2.
struct Pair {
    OwnRun one = OwnRun::make();
    OwnRun two = OwnRun::make();
    Session at_one{2};  // what 1 keeps about 2
    Session at_two{1};

    PacketHeader packet() {
        return {PacketType::message, 1, 2, one.boot, ++one.counter, at_one.echo()};
    }
    void prove() {
        const PacketHeader first = packet();
        ASSERT_EQ(at_two.take(first, two), Outcome::unknown);
        ASSERT_TRUE(at_one.on_challenge(at_two.challenge(first, two), one));
        ASSERT_EQ(at_two.take(packet(), two), Outcome::fresh);
    }
};

TEST(Session, TakesEachNumberOnceInAnyOrder) {
    Pair pair;
    pair.prove();
    const PacketHeader a = pair.packet();
    const PacketHeader b = pair.packet();
    EXPECT_EQ(pair.at_two.take(b, pair.two), Outcome::fresh);
    EXPECT_EQ(pair.at_two.take(a, pair.two), Outcome::fresh);
    EXPECT_EQ(pair.at_two.take(a, pair.two), Outcome::replay);
    EXPECT_EQ(pair.at_two.take(b, pair.two), Outcome::replay);
}

TEST(Session, AnOldNumberBeyondTheWindowIsAReplay) {
    Pair pair;
    pair.prove();
    const PacketHeader old = pair.packet();
    for (int i = 0; i < 64; i++) {
        EXPECT_EQ(pair.at_two.take(pair.packet(), pair.two), Outcome::fresh);
    }
    EXPECT_EQ(pair.at_two.take(old, pair.two), Outcome::replay);
}

TEST(Session, NothingRecordedIsTakenAfterTheReceiverRestarted) {
    Pair pair;
    pair.prove();
    const PacketHeader recorded = pair.packet();
    pair.two = OwnRun::make();
    pair.at_two = Session(1);
    EXPECT_EQ(pair.at_two.take(recorded, pair.two), Outcome::stale);
    // The true sender is asked, and goes on.
    const PacketHeader next = pair.packet();
    EXPECT_EQ(pair.at_two.take(next, pair.two), Outcome::stale);
    ASSERT_TRUE(pair.at_one.on_challenge(pair.at_two.challenge(next, pair.two), pair.one));
    EXPECT_EQ(pair.at_two.take(pair.packet(), pair.two), Outcome::fresh);
    EXPECT_EQ(pair.at_two.take(recorded, pair.two), Outcome::stale);
}

TEST(Session, NothingRecordedIsTakenAfterTheSenderRestarted) {
    Pair pair;
    pair.prove();
    const PacketHeader taken = pair.packet();
    ASSERT_EQ(pair.at_two.take(taken, pair.two), Outcome::fresh);
    const PacketHeader kept_back = pair.packet();  // recorded, never delivered
    const OwnRun first_run = pair.one;
    pair.one = OwnRun::make();
    pair.at_one = Session(2);
    pair.prove();
    EXPECT_EQ(pair.at_two.take(taken, pair.two), Outcome::stale);
    EXPECT_EQ(pair.at_two.take(kept_back, pair.two), Outcome::stale);
    // And the new run is not disturbed by it.
    EXPECT_EQ(pair.at_two.take(pair.packet(), pair.two), Outcome::fresh);
    EXPECT_NE(first_run.boot, pair.one.boot);
}

TEST(Session, AChallengeCountsOnceAndOnlyForThisRun) {
    Pair pair;
    const PacketHeader first = pair.packet();
    const Challenge challenge = pair.at_two.challenge(first, pair.two);
    EXPECT_TRUE(pair.at_one.on_challenge(challenge, pair.one));
    EXPECT_FALSE(pair.at_one.on_challenge(challenge, pair.one));
    Challenge future = challenge;
    future.counter = pair.one.counter + 1;
    EXPECT_FALSE(pair.at_one.on_challenge(future, pair.one));
    const OwnRun other = OwnRun::make();
    Session fresh(2);
    EXPECT_FALSE(fresh.on_challenge(challenge, other));
}

TEST(Session, AGuessedEchoIsWorthNothing) {
    Pair pair;
    for (int turn = 0; turn < 2; ++turn) {
        PacketHeader header = pair.packet();
        header.echo = 1;
        EXPECT_EQ(pair.at_two.take(header, pair.two), Outcome::stale);
    }
}

}  // namespace
}  // namespace mosrig
