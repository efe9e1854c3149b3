// SPDX-License-Identifier: MIT
// A screen alone, and a session at a terminal of this machine: everything but ssh.
#include "harness/node/terminal.h"

#include <gtest/gtest.h>

#include <utility>

#include "harness/node/local_agent.h"
#include "harness/node/screen.h"

namespace mosrig {
namespace {

Deadline patience() {
    return {"the terminal", Millis(20'000)};
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

TEST(Screen, ShowsWhatIsLeftOnIt) {
    Screen screen({4, 10});
    screen.write("one\r\ntwo\r\nthree\r\nfour\r\nfive  ");
    EXPECT_EQ(screen.text(), "two\nthree\nfour\nfive");
    screen.write("\x1b[2J\x1b[2;3Hx\xc3\xa4");
    EXPECT_EQ(screen.text(), "\n  x\xc3\xa4");
}

TEST(Screen, GivesBackWhatAnEditorCovered) {
    Screen screen({4, 10});
    screen.write("$ vi");
    screen.write("\x1b[?1049h\x1b[2J\x1b[HText");
    EXPECT_EQ(screen.text(), "Text");
    screen.write("\x1b[?1049l");
    EXPECT_EQ(screen.text(), "$ vi");
}

TEST(Screen, AnswersWhatItIsAskedFor) {
    Screen screen({4, 10});
    screen.write("ab\x1b[6n");
    EXPECT_EQ(screen.take_answers(), "\x1b[1;3R");
    EXPECT_EQ(screen.take_answers(), "");
}

class LocalTerminal : public ::testing::Test {
  protected:
    void SetUp() override {
        auto transport =
            start_local_agent({"script", "-qfc", "PS1='% ' TERM=dumb exec sh", "/dev/null"});
        ASSERT_TRUE(transport);
        terminal_ = std::make_unique<Terminal>(std::move(*transport), "here", TerminalSize{});
    }

    // The screen ends with that.
    void expect(const std::string& end) {
        const auto shown = terminal_->await(
            [&end](const std::string& text) { return ends_with(text, end); }, patience());
        EXPECT_TRUE(shown) << shown.error().message();
    }

    std::unique_ptr<Terminal> terminal_;
};

TEST_F(LocalTerminal, RunsWhatIsTyped) {
    expect("%");
    ASSERT_TRUE(terminal_->type("echo $((6 * 7))\n", patience()));
    expect("\n42\n%");
    ASSERT_TRUE(terminal_->type("exit\n", patience()));
    EXPECT_TRUE(terminal_->await_end(patience()));
    EXPECT_FALSE(terminal_->type("echo late\n", patience()));
}

TEST_F(LocalTerminal, SaysWhatItShowsInsteadOfWhatWasWaitedFor) {
    expect("%");
    ASSERT_TRUE(terminal_->type("exit\n", patience()));
    const auto shown =
        terminal_->await([](const std::string&) { return false; }, {"the moon", Millis(10'000)});
    ASSERT_FALSE(shown);
    EXPECT_NE(shown.error().what.find("the moon"), std::string::npos);
    EXPECT_NE(shown.error().what.find("exit"), std::string::npos);
}

}  // namespace
}  // namespace mosrig
