// SPDX-License-Identifier: GPL-2.0-only
#include "common/hpc.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/fake_omd.h"
#include "common/omd_client.h"
#include "common/test_folder.h"
#include "common/users.h"

namespace mosrig {
namespace {

TEST(Hpc, ConfigOfManyNodes) {
    const TestFolder node;
    node.cluster();
    std::string text;
    for (int id = 1; id <= 5000; id++) {
        text += fmt::format("{} 10.{}.{}.{} 1\n", id, id / 65536, id / 250, id % 250 + 1);
    }
    node.put("proc/hpc/admin/config", text);
    const Hpc hpc(node.places());
    ASSERT_TRUE(hpc.config());
    EXPECT_EQ(hpc.config()->size(), 5000U);
    EXPECT_EQ(node_meant("4999", hpc)->id, 4999U);
    node.put("proc/hpc/admin/config", "");
    EXPECT_TRUE(hpc.config()->empty());
    node.put("proc/hpc/admin/config", "what?\n");
    EXPECT_FALSE(hpc.config());
    std::filesystem::remove(node.path("proc/hpc/admin/config"));
    EXPECT_EQ(hpc.config()->size(), 2U);  // the map
}

TEST(Hpc, FiguresOfANodeThatIsDownOrUnknown) {
    const TestFolder node;
    node.cluster();
    const Hpc hpc(node.places());
    EXPECT_EQ(hpc.nodes(), (std::vector<std::uint32_t>{1, 2}));
    EXPECT_TRUE(hpc.figures(1).up());
    EXPECT_EQ(hpc.figures(2).load, -101);
    EXPECT_FALSE(hpc.figures(2).up());
    EXPECT_EQ(hpc.figures(3).load, -ENOENT);
    EXPECT_FALSE(hpc.figures(3).up());
    EXPECT_EQ(status_words(-ENOENT), "not configured");
}

TEST(Hpc, RangesEndWhereAddressesJump) {
    const auto ranges = ranges_of(
        {{2, 0x0a4200ff, ""}, {1, 0x0a4200fe, ""}, {3, 0x0a420100, ""}, {5, 0x0a420101, ""}});
    ASSERT_EQ(ranges.size(), 3U);
    EXPECT_EQ(ranges[0].count, 2U);
    EXPECT_EQ(ranges[1].id, 3U);
    EXPECT_EQ(ranges[2].id, 5U);
}

TEST(Places, TheRootIsTakenOutOfTheWords) {
    std::vector<std::string> words{"a", "--root", "/x", "b", "--", "--root"};
    EXPECT_EQ(take_places(words)->proc(), "/x/proc");
    EXPECT_EQ(words, (std::vector<std::string>{"a", "b", "--", "--root"}));
    words = {"--root=/"};
    EXPECT_EQ(take_places(words)->proc(), "/proc");
    words = {"--root"};
    EXPECT_FALSE(take_places(words));
}

TEST(Users, ByNameOrNumber) {
    const TestFolder node;
    node.put("etc/passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/:/bin/sh\n");
    EXPECT_EQ(user_name(1000, node.places()), "bob");
    EXPECT_EQ(user_name(7, node.places()), "7");
}

TEST(AskOmd, TellsWhatWentWrong) {
    const TestFolder node;
    const std::string path = node.path("omd.sock");
    const std::chrono::milliseconds patience(200);
    EXPECT_EQ(ask_omd(path, "nodes", patience).error().code, ENOENT);
    {
        const FakeOmd silent(path, "");
        EXPECT_EQ(ask_omd(path, "nodes", patience).error().code, EPROTO);
    }
    EXPECT_EQ(ask_omd(path, "nodes", patience).error().code, ECONNREFUSED);
    std::filesystem::remove(path);
    {
        const FakeOmd list(path, "[1]\n");
        EXPECT_EQ(ask_omd(path, "nodes", patience).error().code, EPROTO);
    }
    std::filesystem::remove(path);
    // Without the newline: the end of the answer is the end of the connection.
    const FakeOmd good(path, R"({"ok":true,"target":"two"})");
    const auto answer = ask_omd(path, "nodes", patience);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(field(*answer, "ok", false));
    EXPECT_EQ(field(*answer, "target", 7L), 7);
    EXPECT_EQ(field(*answer, "absent", std::string("none")), "none");
}

}  // namespace
}  // namespace mosrig
