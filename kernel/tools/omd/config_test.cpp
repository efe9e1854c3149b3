// SPDX-License-Identifier: GPL-2.0-only
#include "omd/config.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

std::string config_error(std::string_view text) {
    const auto config = parse_config(text);
    return config ? "" : config.error().text;
}

TEST(Config, AnEmptyFileHasTheDefaults) {
    const auto config = parse_config("# nothing\n\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->map, "/etc/openmosix.map");
    EXPECT_EQ(config->period, 1000);
    EXPECT_TRUE(config->balance);
    EXPECT_EQ(config->discovery, Config::Discovery::map);
}

TEST(Config, TakesEveryKey) {
    const auto config = parse_config(
        "map = /a\nkey=/b\n period = 0.5 # fast\nbalance = no\ndiscovery = announce\n"
        "interface = eth1\nfanout = 3\nresidency = 2.5\nforget = 60");
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->map, "/a");
    EXPECT_EQ(config->key, "/b");
    EXPECT_EQ(config->period, 500);
    EXPECT_FALSE(config->balance);
    EXPECT_EQ(config->discovery, Config::Discovery::announce);
    EXPECT_EQ(config->interface, "eth1");
    EXPECT_EQ(config->fanout, 3U);
    EXPECT_EQ(config->residency, 2500);
    EXPECT_EQ(config->forget, 60000);
}

TEST(Config, AnErrorNamesTheLineAndWhatWouldBeRight) {
    EXPECT_EQ(config_error("\nperiod = soon\n"),
              "line 2: period must be a number of seconds from 0.1 to 60, not 'soon'");
    EXPECT_EQ(config_error("balance = maybe"), "line 1: balance must be yes or no, not 'maybe'");
    EXPECT_EQ(config_error("map /x"), "line 1: expected 'key = value', not 'map /x'");
    EXPECT_EQ(config_error("map = x"), "line 1: map must be an absolute path, not 'x'");
    EXPECT_EQ(config_error("fanout = 1\nfanout = 2"), "line 2: fanout is set twice");
    EXPECT_NE(config_error("speed = 3").find("there is no 'speed'; there are: balance"),
              std::string::npos);
    EXPECT_NE(config_error("discovery = announce").find("interface"), std::string::npos);
    for (const char* bad : {"period = 0", "period = 1e1", "period = -1", "period = ",
                            "period = nan", "fanout = 0", "fanout = 9", "interface = a/b"}) {
        EXPECT_NE(config_error(bad), "") << bad;
    }
}

TEST(Config, AMissingFileIsFineUnlessItWasAskedFor) {
    EXPECT_TRUE(load_config("/nonexistent/omd.conf", false));
    EXPECT_FALSE(load_config("/nonexistent/omd.conf", true));
}

}  // namespace
}  // namespace mosrig
