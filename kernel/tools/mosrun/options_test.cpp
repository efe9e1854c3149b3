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

using Writes = std::vector<std::pair<std::string, std::string>>;

Writes decay_of(Words options) {
    options.push_back("prog");
    return parse_mosrun_options(options).value().decay;
}

TEST(MosrunOptions, DecayIsWrittenToItsFiles) {
    EXPECT_EQ(decay_of({}), Writes{});
    EXPECT_EQ(decay_of({"-c"}), (Writes{{"cpujob", "1"}}));
    EXPECT_EQ(decay_of({"-i", "-f"}), (Writes{{"iojob", "1"}, {"fast", "1"}}));
    EXPECT_EQ(decay_of({"-n"}), (Writes{{"none", "1"}}));
    EXPECT_EQ(decay_of({"-s", "-R", "-e"}),
              (Writes{{"slow", "1"}, {"inherit", "0"}, {"exec", "0"}}));
    EXPECT_EQ(decay_of({"-t", "5"}), (Writes{{"own", "975 5"}}));
    EXPECT_EQ(decay_of({"-t5", "-d", "900", "-r"}), (Writes{{"own", "900 5"}, {"inherit", "1"}}));
    EXPECT_EQ(decay_of({"-E"}), (Writes{{"exec", "1"}}));
}

TEST(MosrunOptions, RefusesDecayThatMakesNoSense) {
    for (const Words& words : std::vector<Words>{{"-c", "-i", "p"},
                                                 {"-s", "-f", "p"},
                                                 {"-n", "-t", "3", "p"},
                                                 {"-d", "3", "p"},
                                                 {"-t", "0", "p"},
                                                 {"-t", "x", "p"},
                                                 {"-t"},
                                                 {"-t", "1", "-d", "1001", "p"},
                                                 {"-c", "-E", "p"}}) {
        EXPECT_FALSE(parse_mosrun_options(words)) << testing::PrintToString(words);
    }
}

TEST(MosrunOptions, ADecayOptionWithoutAPlaceKeepsTheLock) {
    EXPECT_EQ(lock_of({"-c"}), std::nullopt);
    EXPECT_EQ(lock_of({"-t", "3"}), std::nullopt);
    EXPECT_EQ(lock_of({"-c", "-L"}), true);
    EXPECT_EQ(lock_of({"-c", "-h"}), true);
    EXPECT_EQ(lock_of({"-i", "-3"}), true);
    EXPECT_EQ(lock_of({"-e", "-r"}), true);
    EXPECT_EQ(lock_of({"-j1-3", "-s"}), true);
    EXPECT_EQ(lock_of({"-j1-3", "-k"}), std::nullopt);
}

TEST(MosrunOptions, OneOfSeveralNodes) {
    const auto options = parse_mosrun_options({"-j1-3,7", "-F", "prog"});
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->anywhere);
    ASSERT_EQ(options->choice.size(), 2U);
    std::vector<unsigned> picked;
    for (unsigned random = 0; random < 5; random++) {
        picked.push_back(pick_node(options->choice, random));
    }
    EXPECT_EQ(picked, (std::vector<unsigned>{1, 2, 3, 7, 1}));
    for (const Words& words : std::vector<Words>{{"-j", "p"},
                                                 {"-j0", "p"},
                                                 {"-j3-1", "p"},
                                                 {"-j1,,2", "p"},
                                                 {"-j1-", "p"},
                                                 {"-jx", "p"},
                                                 {"-j1", "-2", "p"},
                                                 {"-h", "-j1", "p"},
                                                 {"-F", "p"}}) {
        EXPECT_FALSE(parse_mosrun_options(words)) << testing::PrintToString(words);
    }
}

TEST(MosrunOptions, NeedsAProgram) {
    EXPECT_FALSE(parse_mosrun_options({}));
    EXPECT_FALSE(parse_mosrun_options({"-h"}));
    EXPECT_FALSE(parse_mosrun_options({"-q", "prog"}));
}

}  // namespace
}  // namespace mosrig
