// SPDX-License-Identifier: GPL-2.0-only
#include "migrate/options.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

TEST(MigrateOptions, PidAndTarget) {
    const auto options = parse_migrate_options({"123", "node2"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->pid, 123);
    EXPECT_EQ(options->target, "node2");
    EXPECT_EQ(options->patience.count(), 10000);
}

TEST(MigrateOptions, Patience) {
    EXPECT_EQ(parse_migrate_options({"-t", "0.5", "1", "home"})->patience.count(), 500);
    EXPECT_EQ(parse_migrate_options({"-t3", "1", "home"})->patience.count(), 3000);
    EXPECT_EQ(parse_migrate_options({"-t", "0", "--", "1", "2"})->patience.count(), 0);
}

TEST(MigrateOptions, RefusesWhatItDoesNotUnderstand) {
    for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                       {"1"},
                                                                       {"1", "2", "3"},
                                                                       {"x", "2"},
                                                                       {"0", "2"},
                                                                       {"-1", "2"},
                                                                       {"99999999999", "2"},
                                                                       {"-t"},
                                                                       {"-t", "x", "1", "2"},
                                                                       {"-t", "-1", "1", "2"},
                                                                       {"-t", "nan", "1", "2"},
                                                                       {"-q", "1", "2"}}) {
        EXPECT_FALSE(parse_migrate_options(arguments)) << testing::PrintToString(arguments);
    }
}

}  // namespace
}  // namespace mosrig
