// SPDX-License-Identifier: GPL-2.0-only
#include "omd/service.h"

#include <gtest/gtest.h>

#include "common/test_folder.h"

namespace mosrig {
namespace {

TEST(Service, WhoHadAnnouncedHimselfStaysWhenTheDaemonStartsAgain) {
    const TestFolder folder;
    // The third came by a map: its address does not tell its id.
    folder.put("config", "1 10.66.0.1 1\n2 10.66.0.2 1\n7 10.66.0.3 1\n");
    mosrig::Setup setup;  // GoogleTest has one, too
    setup.self = 1;
    EXPECT_TRUE(announced_before(setup, folder.path("config")).empty()) << "the map knows";
    setup.config.discovery = Config::Discovery::announce;
    const auto peers = announced_before(setup, folder.path("config"));
    ASSERT_EQ(peers.size(), 1U);
    EXPECT_EQ(peers[0].id, 2U);
    EXPECT_EQ(peers[0].endpoint.address, 0x0a420002U);
    EXPECT_TRUE(announced_before(setup, folder.path("none")).empty());
}

}  // namespace
}  // namespace mosrig
