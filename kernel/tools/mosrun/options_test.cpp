// SPDX-License-Identifier: GPL-2.0-only
#include "mosrun/options.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

using Words = std::vector<std::string>;

std::optional<bool> lock_of(Words options) {
    options.push_back("prog");
    return parse_mosrun_options(options).value().lock;
}

TEST(MosrunOptions, LocksUnlessToldOtherwise) {
    EXPECT_EQ(lock_of({}), true);
    EXPECT_EQ(lock_of({"-h"}), true);
    EXPECT_EQ(lock_of({"-2"}), true);
    EXPECT_EQ(lock_of({"-l"}), false);
    EXPECT_EQ(lock_of({"-h", "-l"}), false);
    EXPECT_EQ(lock_of({"-2", "-l"}), false);
    EXPECT_EQ(lock_of({"-L"}), true);
    EXPECT_EQ(lock_of({"-k"}), std::nullopt);
    EXPECT_EQ(lock_of({"-h", "-k"}), std::nullopt);
    EXPECT_EQ(lock_of({"-2", "-k"}), std::nullopt);
}

TEST(MosrunOptions, UnlockAndLockWinOverAll) {
    EXPECT_EQ(lock_of({"-l", "-k"}), false);
    EXPECT_EQ(lock_of({"-k", "-l"}), false);
    EXPECT_EQ(lock_of({"-L", "-k"}), true);
    EXPECT_EQ(lock_of({"-kL"}), true);
    EXPECT_EQ(lock_of({"-L", "-l"}), false);
}

TEST(MosrunOptions, Place) {
    EXPECT_EQ(parse_mosrun_options({"prog"})->node, std::nullopt);
    EXPECT_EQ(parse_mosrun_options({"-h", "prog"})->node, 0U);
    EXPECT_EQ(parse_mosrun_options({"-12", "prog"})->node, 12U);
    EXPECT_EQ(parse_mosrun_options({"-2", "-2", "prog"})->node, 2U);
    EXPECT_FALSE(parse_mosrun_options({"-2", "-3", "prog"}));
    EXPECT_FALSE(parse_mosrun_options({"-h", "-2", "prog"}));
    EXPECT_FALSE(parse_mosrun_options({"-65536", "prog"}));
    EXPECT_FALSE(parse_mosrun_options({"-2x", "prog"}));
}

TEST(MosrunOptions, LeavesTheProgramItsOwnOptions) {
    const auto options = parse_mosrun_options({"-l", "prog", "-h", "--", "x"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->program, "prog");
    EXPECT_EQ(options->arguments, (Words{"prog", "-h", "--", "x"}));
    EXPECT_FALSE(options->node);
    EXPECT_EQ(parse_mosrun_options({"--", "-odd"})->program, "-odd");
}

TEST(MosrunOptions, AnotherNameForTheProgram) {
    const auto options = parse_mosrun_options({"-l", "-z", "/usr/sbin/tcpd", "in.rshd", "-L"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->program, "/usr/sbin/tcpd");
    EXPECT_EQ(options->arguments, (Words{"in.rshd", "-L"}));
    EXPECT_FALSE(parse_mosrun_options({"-z", "prog"}));
}

TEST(MosrunOptions, NeedsAProgram) {
    EXPECT_FALSE(parse_mosrun_options({}));
    EXPECT_FALSE(parse_mosrun_options({"-h"}));
    EXPECT_FALSE(parse_mosrun_options({"-q", "prog"}));
}

}  // namespace
}  // namespace mosrig
