// SPDX-License-Identifier: GPL-2.0-only
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/program.h"
#include "common/test_folder.h"
#include "mps/select.h"
#include "mps/usage.h"

namespace mosrig {
namespace {

using testing::HasSubstr;

TEST(Rows, ParsesStat) {
    ProcessRow row;
    ASSERT_TRUE(
        parse_row("50 (a) b) R 1 50 50 34817 50 4194304 1 2 3 4 250 50 9 9 25 5 3 0 777 "
                  "4096000 300 18446744073709551615\n",
                  row));
    EXPECT_EQ(row.pid, 50);
    EXPECT_EQ(row.name, "a) b");
    EXPECT_EQ(row.state, "RNsl+");
    EXPECT_EQ(row.tty, "pts/1");
    EXPECT_EQ(row.ticks, 300U);
    EXPECT_EQ(row.start, 777U);
    EXPECT_EQ(row.size, 4096000U);
    EXPECT_FALSE(parse_row("50 (a", row));
    EXPECT_FALSE(parse_row("50 (a) R 1", row));
}

TEST(Rows, NamesDoNothingToATerminal) {
    const TestFolder node;
    node.cluster();
    node.process(50, "a\x1b[2J", 1);
    node.process(51, "b\x1b", 1);
    node.put("proc/51/cmdline", std::string("b\x1b\0-x\0", 6));
    node.process(52, "c\x1b", 1);
    node.put("proc/52/cmdline", "");
    const auto rows = read_rows(Hpc(node.places()));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].name, "a?[2J");
    EXPECT_EQ(rows[1].command, "b? -x");
    EXPECT_EQ(rows[2].command, "[c?]");
}

TEST(Rows, Terminals) {
    EXPECT_EQ(tty_name(0), "?");
    EXPECT_EQ(tty_name((136U << 8U) | 5U), "pts/5");
    EXPECT_EQ(tty_name((4U << 8U) | 1U), "tty1");
    EXPECT_EQ(tty_name((4U << 8U) | 64U), "ttyS0");
}

TEST(Rows, TheNodeOfEach) {
    const TestFolder node;
    node.cluster();
    node.process(50, "home", 1);
    node.process(51, "away", 1);
    node.put("proc/51/where", "2\n");
    node.process(52, "remote(9)", 1);
    node.put("proc/hpc/remote/52/from", "3\n");
    auto rows = read_rows(Hpc(node.places()));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].node, "0");
    EXPECT_EQ(rows[1].node, "2");
    EXPECT_EQ(rows[2].node, "3>");
    node.put("proc/hpc/admin/mospe", "0\n");
    EXPECT_EQ(read_rows(Hpc(node.places()))[0].node, "-1");
}

TEST(MpsOptions, AsPsHasThem) {
    EXPECT_TRUE(parse_mps_options({"aux"})->users);
    EXPECT_TRUE(parse_mps_options({"-ef"})->without_tty);
    EXPECT_EQ(parse_mps_options({"-p", "1,2"})->pids, (std::set<int>{1, 2}));
    EXPECT_EQ(parse_mps_options({"-u", "bob", "x"})->user, "bob");
    EXPECT_FALSE(parse_mps_options({"-p"}));
    EXPECT_FALSE(parse_mps_options({"-p", "x"}));
    EXPECT_FALSE(parse_mps_options({"-q"}));
}

TEST(MpsOptions, WhoIsListed) {
    ProcessRow row;
    row.pid = 5;
    row.uid = 1000;
    row.user = "bob";
    row.tty = "pts/0";
    EXPECT_TRUE(is_listed(row, {}, 1000, "pts/0"));
    EXPECT_FALSE(is_listed(row, {}, 1000, "pts/1"));
    EXPECT_FALSE(is_listed(row, {}, 1001, "pts/0"));
    EXPECT_TRUE(is_listed(row, *parse_mps_options({"a"}), 0, "pts/9"));
    row.tty = "?";
    EXPECT_FALSE(is_listed(row, *parse_mps_options({"a"}), 0, "pts/9"));
    EXPECT_TRUE(is_listed(row, *parse_mps_options({"ax"}), 0, "pts/9"));
    EXPECT_TRUE(is_listed(row, *parse_mps_options({"-u", "1000"}), 0, "pts/9"));
    EXPECT_FALSE(is_listed(row, *parse_mps_options({"-p", "6"}), 1000, "?"));
}

TEST(Mps, PrintsAColumnNode) {
    const TestFolder node;
    node.cluster();
    node.process(51, "away", 1);
    node.put("proc/51/where", "2\n");
    testing::internal::CaptureStdout();
    EXPECT_EQ(mps_program({"--root", node.places().root, "-p", "51"}), 0);
    EXPECT_EQ(testing::internal::GetCapturedStdout(),
              "    PID TTY       NODE STAT     TIME COMMAND\n"
              "     51 ?            2 S        0:03 away\n");
    testing::internal::CaptureStdout();
    EXPECT_EQ(mps_program({"--root", node.places().root, "-p", "52"}), 1);
    (void)testing::internal::GetCapturedStdout();
}

ProcessRow used(int pid, std::uint64_t ticks, std::uint64_t resident, const std::string& node) {
    ProcessRow row;
    row.pid = pid;
    row.ticks = ticks;
    row.resident = resident;
    row.node = node;
    row.state = "R";
    row.name = row.command = "p" + std::to_string(pid);
    return row;
}

TEST(Mtop, TheGreediestFirst) {
    const Look before{{used(1, 100, 1, "0"), used(2, 100, 9, "2")}, 10};
    const Look now{{used(1, 110, 1, "0"), used(2, 200, 9, "2"), used(3, 50, 5, "4>")}, 11};
    const Lines lines = render_top(before, now, Order::cpu, "title", 80, 24);
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_EQ(lines[1].text, "3 processes: 3 running, 1 away, 1 guests");
    EXPECT_THAT(lines[3].text, HasSubstr("p2"));
    EXPECT_THAT(lines[3].text, HasSubstr("100.0"));
    EXPECT_THAT(lines[4].text, HasSubstr("p3"));
    // As top does: of the path of a command nothing but folders would fit.
    Look far = now;
    far.rows[1].command = "/usr/local/lib/a/folder/of/programs/p2 --with options";
    EXPECT_THAT(render_top(before, far, Order::cpu, "", 80, 24)[3].text, HasSubstr(" p2"));
    EXPECT_THAT(render_top(before, now, Order::node, "", 80, 24)[3].text, HasSubstr("p3"));
    EXPECT_THAT(render_top(before, now, Order::memory, "", 80, 24)[3].text, HasSubstr("p2"));
    for (const Line& line : render_top(before, now, Order::cpu, "title", 40, 4)) {
        EXPECT_LE(line.text.size(), 40U);
    }
    EXPECT_EQ(render_top(before, now, Order::cpu, "title", 40, 4).size(), 4U);
}

}  // namespace
}  // namespace mosrig
