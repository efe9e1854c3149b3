// SPDX-License-Identifier: GPL-2.0-only
#include "mosmon/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/program.h"
#include "common/test_folder.h"
#include "screen/screen.h"

namespace mosrig {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Snapshot cluster(std::uint32_t count) {
    Snapshot snapshot;
    snapshot.self = 1;
    snapshot.stats = {{"moves_out", "5"}, {"moves_home", "4"}, {"moves_in", "2"}, {"failed", "0"}};
    for (std::uint32_t id = 1; id <= count; id++) {
        NodeRow row;
        row.figures = {id, 2, 100L * id, 10000, 50, 250, 250, 1000, 3};
        row.name = "node" + std::to_string(id);
        row.out = id;
        snapshot.nodes.push_back(row);
    }
    snapshot.nodes.back().figures = {count, -101, -101, 10000, -101, -101, -101, -101, 1};
    return snapshot;
}

TEST(Mosmon, FitsEveryScreen) {
    for (const std::uint32_t nodes : {1U, 3U, 100U}) {
        for (std::size_t width : {1U, 5U, 20U, 40U, 69U, 70U, 80U, 200U}) {
            for (std::size_t height : {1U, 2U, 3U, 5U, 12U, 24U}) {
                for (const bool totals : {false, true}) {
                    View view;
                    view.totals = totals;
                    view.first = 90;
                    const Lines lines = render(cluster(nodes), view, width, height);
                    EXPECT_EQ(lines.size(), height) << width;
                    for (const Line& line : lines) {
                        EXPECT_LE(line.text.size(), width);
                    }
                }
            }
        }
    }
}

TEST(Mosmon, ShowsEachNode) {
    const std::string text = join(render(cluster(3), {}, 80, 24));
    EXPECT_THAT(text, StartsWith("openMosix: this is #1, 2 of 3 nodes are up\n"));
    EXPECT_THAT(text, HasSubstr("*     1 node1           100  75%   50%    2    1    0 |######"));
    EXPECT_THAT(text, HasSubstr("      3 node3        down\n"));
    EXPECT_THAT(text, HasSubstr("t totals"));
    const std::string small = join(render(cluster(3), {}, 40, 12));
    EXPECT_THAT(small, HasSubstr("*     1  100  75%   1   0 |"));
    EXPECT_THAT(small, HasSubstr("      3 down\n"));
}

TEST(Mosmon, TotalsOfWhatIsUp) {
    View view;
    view.totals = true;
    const std::string text = join(render(cluster(3), view, 80, 24));
    EXPECT_THAT(text, HasSubstr("3 nodes, 2 up, 4 CPUs, speed 20000\n"));
    EXPECT_THAT(text, HasSubstr("mean load 150"));
    EXPECT_THAT(text, HasSubstr("moves: 5 out, 4 home, 2 in; 0 failed"));
}

TEST(Mosmon, TotalsLeaveOutWhatIsNotKnown) {
    Snapshot snapshot = cluster(3);
    snapshot.nodes.back().figures.status = 3;  // up, and its load not heard yet
    View view;
    view.totals = true;
    const std::string text = join(render(snapshot, view, 80, 24));
    EXPECT_THAT(text, HasSubstr("3 nodes, 3 up, 4 CPUs, speed 30000\n"));
    EXPECT_THAT(text, HasSubstr("mean load 150"));
    EXPECT_THAT(text, Not(HasSubstr("-101")));
}

TEST(Mosmon, TheLastNodeCanBeReachedWithTotalsToo) {
    const Snapshot snapshot = cluster(30);
    for (const bool totals : {false, true}) {
        View view;
        view.totals = totals;
        for (int i = 0; i < 30; i++) {
            view =
                after_key(view, Screen::down_key, page_of(view, 20), count_shown(snapshot, view));
        }
        const Lines lines = render(snapshot, view, 80, 20);
        EXPECT_THAT(join(lines), HasSubstr(" node30 ")) << totals;
        EXPECT_THAT(lines.back().text, StartsWith("l load")) << "keys are below it all";
        // And no further: one key back is seen at once.
        view = after_key(view, Screen::up_key, page_of(view, 20), count_shown(snapshot, view));
        EXPECT_THAT(join(render(snapshot, view, 80, 20)), Not(HasSubstr(" node30 "))) << totals;
    }
    View up_only;
    up_only.down = false;
    EXPECT_EQ(count_shown(snapshot, up_only), 29U);
}

TEST(Mosmon, Keys) {
    const View view = after_key({}, 'm', 10, 30);
    EXPECT_EQ(view.bar, View::Bar::memory);
    EXPECT_THAT(join(render(cluster(3), view, 80, 24)), HasSubstr("MEMORY"));
    EXPECT_FALSE(after_key({}, 'd', 10, 30).down);
    EXPECT_THAT(join(render(cluster(3), after_key({}, 'd', 10, 30), 80, 24)),
                Not(HasSubstr("node3")));
    const View help = after_key({}, 'h', 10, 30);
    EXPECT_TRUE(after_key(help, Screen::no_key, 10, 30).help);
    EXPECT_THAT(join(render(cluster(3), help, 80, 24)), HasSubstr("q  quit"));
    EXPECT_FALSE(after_key(help, 'x', 10, 30).help);
    View scrolled = after_key({}, Screen::page_down_key, 10, 30);
    EXPECT_EQ(scrolled.first, 10U);
    scrolled =
        after_key(after_key(scrolled, Screen::page_down_key, 10, 30), Screen::down_key, 10, 30);
    EXPECT_EQ(scrolled.first, 20U);
    EXPECT_EQ(after_key(scrolled, Screen::up_key, 10, 30).first, 19U);
    EXPECT_EQ(after_key({}, Screen::up_key, 10, 30).first, 0U);
    EXPECT_EQ(after_key({}, Screen::down_key, 10, 3).first, 0U);
}

TEST(Mosmon, Bars) {
    EXPECT_EQ(bar(50, 100, 10), "#####     ");
    EXPECT_EQ(bar(1, 1000, 4), "#   ");
    EXPECT_EQ(bar(0, 100, 2), "  ");
    EXPECT_EQ(bar(300, 100, 3), "###");
    EXPECT_EQ(bar(1, 0, 3), "#  ");
}

TEST(Mosmon, CountsWhoWentWhere) {
    const TestFolder node;
    node.cluster();
    node.process(50, "a", 1);
    node.process(51, "b", 1);
    node.put("proc/50/where", "2\n");
    node.put("proc/hpc/remote/60/from", "2\n");
    const Snapshot snapshot = take_snapshot(Hpc(node.places()));
    ASSERT_EQ(snapshot.nodes.size(), 2U);
    EXPECT_EQ(snapshot.nodes[1].out, 1U);
    EXPECT_EQ(snapshot.nodes[1].in, 1U);
    EXPECT_EQ(snapshot.nodes[0].out, 0U);
    EXPECT_EQ(snapshot.nodes[0].name, "node1");
    EXPECT_FALSE(snapshot.nodes[1].figures.up());
}

TEST(Mosmon, ThePlainMessageOfAPlainKernel) {
    const TestFolder node;
    testing::internal::CaptureStderr();
    EXPECT_EQ(mosmon_program({"--root", node.places().root}), 1);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "mosmon: this is not an openMosix system\n");
}

}  // namespace
}  // namespace mosrig
