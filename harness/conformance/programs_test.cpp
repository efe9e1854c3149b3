// SPDX-License-Identifier: MIT
#include "harness/conformance/programs.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

// Looks at one process, `apart` from each other, each of which finds so many moves.
class Lives {
  public:
    Lives& add(std::int64_t pid, const std::string& name, Millis begin, Millis apart,
               const std::vector<std::int64_t>& moves) {
        Millis at = begin;
        for (const std::int64_t so_far : moves) {
            looks_.push_back({Clock::time_point(at), pid, name, so_far});
            at += apart;
        }
        return *this;
    }
    [[nodiscard]] std::map<std::string, Unrest> of(const std::string& pattern) const {
        return unrest_of(looks_, pattern);
    }

  private:
    std::vector<Look> looks_;
};

TEST(Unrest, IsOfTheNamesThatFit) {
    const Lives lives = Lives()
                            .add(10, "sh", Millis(0), Millis(500), {0, 0, 0, 0, 0})
                            .add(11, "gzip", Millis(500), Millis(500), {0, 1, 2, 3});
    const auto gzip = lives.of("gzip");
    ASSERT_EQ(gzip.size(), 1);
    EXPECT_DOUBLE_EQ(gzip.at("gzip").seconds, 1.5);
    EXPECT_EQ(gzip.at("gzip").moves, 3);
    EXPECT_DOUBLE_EQ(gzip.at("gzip").longest_still, 0.5);
    EXPECT_TRUE(gzip.at("gzip").each_second());
    EXPECT_EQ(lives.of("*").size(), 2);
    EXPECT_FALSE(lives.of("sh").at("sh").each_second()) << "though another has moved for it";
    EXPECT_TRUE(lives.of("xz").empty());
}

TEST(LeftStill, IsWhoWasNeverSeenToHaveMoved) {
    const Clock::time_point now;
    const std::vector<Look> looks{{now, 10, "stress-ng-fork", 0},
                                  {now, 11, "stress-ng-fork", 2},
                                  {now, 12, "stress-ng-matri", 1},
                                  {now, 13, "stress-ng-vm", 0}};
    const std::vector<std::string> words{"fork", "matrix-3d", "vm", "zombie"};
    EXPECT_EQ(left_still(looks, "stress-ng-", words), (std::vector<std::string>{"vm", "zombie"}));
}

TEST(Unrest, WhoEndsTooSoonDoesNotCount) {
    const Lives lives = Lives()
                            .add(20, "cc1", Millis(0), Millis(600), {0, 0, 0})
                            .add(21, "cc1", Millis(5000), Millis(650), {0, 1, 2});
    EXPECT_DOUBLE_EQ(lives.of("cc1").at("cc1").seconds, 1.3);
    EXPECT_EQ(lives.of("cc1").at("cc1").moves, 2);
    EXPECT_TRUE(Lives().add(20, "cc1", Millis(0), Millis(600), {0, 1, 2}).of("cc1").empty());
}

TEST(Unrest, OneMoveOverTheWholeRunIsNone) {
    const Unrest unrest =
        Lives().add(30, "xz", Millis(0), Millis(500), {0, 0, 1, 1, 1, 1, 1}).of("xz").at("xz");
    EXPECT_EQ(unrest.moves, 1);
    EXPECT_DOUBLE_EQ(unrest.longest_still, 2) << "to its end";
    EXPECT_FALSE(unrest.each_second());
}

TEST(Unrest, ManyMovesAtOnceMakeUpForNoSilence) {
    const Unrest unrest =
        Lives().add(40, "awk", Millis(0), Millis(1000), {0, 5, 5, 5, 5, 6}).of("awk").at("awk");
    EXPECT_TRUE(unrest.each_second());
    EXPECT_DOUBLE_EQ(unrest.longest_still, 4);
}

TEST(Unrest, OneAfterTheOtherLeavesOutWhatIsBetween) {
    const Unrest unrest = Lives()
                              .add(50, "sqlite3", Millis(0), Millis(500), {0, 1, 2, 3})
                              .add(51, "sqlite3", Millis(9000), Millis(500), {0, 1, 2, 2})
                              .of("sqlite3")
                              .at("sqlite3");
    EXPECT_DOUBLE_EQ(unrest.seconds, 3);
    EXPECT_EQ(unrest.moves, 5);
    EXPECT_DOUBLE_EQ(unrest.longest_still, 0.5);
}

TEST(Unrest, WhereOneWaitsForTheOtherItIsEnoughThatThatMoves) {
    const Unrest unrest = Lives()
                              .add(60, "malloc", Millis(0), Millis(500), {0, 0, 0, 0, 0, 0, 0, 0})
                              .add(61, "malloc", Millis(500), Millis(500), {0, 1, 2, 3, 4})
                              .of("malloc")
                              .at("malloc");
    EXPECT_DOUBLE_EQ(unrest.seconds, 3.5);
    EXPECT_EQ(unrest.moves, 4);
    EXPECT_DOUBLE_EQ(unrest.longest_still, 1);
}

TEST(Unrest, KnowsWhereThoseOfOneNameHaveBeen) {
    const auto look = [](int at, std::int64_t pid, const char* name, std::int64_t moves,
                         int where) {
        return Look{Clock::time_point(Millis(at)), pid, name, moves, where};
    };
    const std::map<std::string, Unrest> names = unrest_of(
        {look(0, 80, "gcc", 3, 3), look(0, 81, "cc1", 0, 0), look(500, 80, "gcc", 4, 2),
         look(500, 81, "cc1", 1, 2), look(1000, 81, "cc1", 2, 0), look(1500, 81, "cc1", 2, 0),
         look(2000, 80, "gcc", 4, 2), look(2000, 81, "cc1", 6, 2)},
        "*");
    EXPECT_EQ(names.at("cc1").reached, (std::set<int>{0, 2})) << "another has gone to the third";
    EXPECT_EQ(names.at("gcc").reached, (std::set<int>{2})) << "nobody saw how it came to the third";
    EXPECT_TRUE(names.at("cc1").goes_round(3));
    EXPECT_FALSE(names.at("cc1").goes_round(4));
}

TEST(Unrest, WhatAProcessMovedUnderAnotherNameIsNotOfThisOne) {
    const Unrest unrest = Lives()
                              .add(70, "sh", Millis(0), Millis(500), {0, 4})
                              .add(70, "bc", Millis(1000), Millis(500), {4, 5, 6, 6})
                              .of("bc")
                              .at("bc");
    EXPECT_EQ(unrest.moves, 2);
    EXPECT_DOUBLE_EQ(unrest.seconds, 1.5);
}

}  // namespace
}  // namespace mosrig
