// SPDX-License-Identifier: GPL-2.0-only
#include "common/printable.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

TEST(Printable, WhatMovesACursorIsNotShown) {
    EXPECT_EQ(printable("a name (x)"), "a name (x)");
    EXPECT_EQ(printable("a\x1b[2Jb\rc\x7f\td"), "a?[2Jb?c??d");
    EXPECT_EQ(printable("a\nb"), "a?b");
    EXPECT_EQ(printable("a\nb\x1b", true), "a\nb?");
    EXPECT_EQ(printable(std::string("a\0b", 3)), "a?b");
}

TEST(Printable, LettersOfAllKindsAreShown) {
    EXPECT_EQ(printable("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
              "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(Printable, ControlCharactersAboveAsciiAndBrokenOnesAreNot) {
    EXPECT_EQ(printable("a\xc2\x9b"
                        "2J"),
              "a??2J");
    EXPECT_EQ(printable("\x9b"
                        "2J"),
              "?2J");
    EXPECT_EQ(printable("\xe2\x82"), "??");
    EXPECT_EQ(printable("\xc3("), "?(");
    EXPECT_EQ(printable("\xff\xc0\x80"), "???");
}

}  // namespace
}  // namespace mosrig
