// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/fake_omd.h"
#include "common/program.h"
#include "common/test_folder.h"
#include "moswhy/render.h"

namespace mosrig {
namespace {

using testing::HasSubstr;
using testing::Not;

class Why : public testing::Test {
  protected:
    void SetUp() override {
        node_.cluster();
        node_.process(1, "init", 0);
        node_.process(50, "prog", 1);
    }
    [[nodiscard]] Report report() const {
        return make_report(Subject(50, node_.places()), Hpc(node_.places()));
    }
    [[nodiscard]] std::string text() const { return render_text(report()); }
    // Of a paragraph, whose lines end anywhere.
    [[nodiscard]] std::string flat() const {
        std::string all = text();
        std::replace(all.begin(), all.end(), '\n', ' ');
        return all;
    }
    [[nodiscard]] std::string socket() const { return node_.places().omd_socket(); }
    TestFolder node_;
};

TEST_F(Why, FreeAndTheBalancerTells) {
    FakeOmd omd(socket(), R"({"pid":50,"decision":"stay","reason":"no_better_node","age_ms":400,)"
                          R"("here":{"node":1,"load":150},"best":{"node":2,"load":140,)"
                          R"("expected_gain_ms":30,"cost_ms":200},)"
                          R"("text":"Node 2 has load 140 against 150 here."})"
                          "\n");
    const Report made = report();
    EXPECT_EQ(omd.request(), "why 50\n");
    ASSERT_TRUE(made.decision);
    EXPECT_EQ(made.decision->reason, "no_better_node");
    EXPECT_THAT(render_text(made), HasSubstr("Nothing forbids it to move. Node 2 has load 140"));
    EXPECT_THAT(render_text(made), HasSubstr("        migrate 50 2\n"));
    EXPECT_EQ(render_summary(made), "no_better_node");
    const auto json = render_json(made);
    EXPECT_EQ(json["decision"]["omd"]["best"]["node"], 2);
    EXPECT_EQ(json["locked"], false);
}

TEST_F(Why, TheCommandNamesANodeThatIsUp) {
    const std::string answer =
        R"({"pid":50,"decision":"stay","reason":"sleeping","best":null,"text":"It sleeps."})"
        "\n";
    {
        const FakeOmd omd(socket(), answer);
        EXPECT_THAT(text(), Not(HasSubstr("migrate 50"))) << "node 2 is down";
    }
    node_.node(2, "1", "0", "10000", "0", "200000", "250000", "500000", "3");
    const FakeOmd omd(socket(), answer);
    EXPECT_THAT(text(), HasSubstr("        migrate 50 2\n"));
}

TEST_F(Why, WithoutABalancer) {
    EXPECT_THAT(flat(), HasSubstr("no balancer runs here"));
    EXPECT_THAT(flat(), Not(HasSubstr("'stay' is set")));
    node_.put("proc/hpc/admin/stay", "1\n");
    EXPECT_THAT(flat(), HasSubstr("'stay' is set on this node (mosctl nostay)"));
}

TEST_F(Why, AnAnswerThatIsNone) {
    const FakeOmd omd(socket(), "what?\n");
    EXPECT_THAT(flat(), HasSubstr("the balancer was not heard"));
}

TEST_F(Why, ReasonsComeBeforeTheLockAndSpareTheBalancer) {
    node_.put("proc/50/cantmove", "clone_vm\n");
    node_.put("proc/50/task/51/comm", "worker\n");
    node_.put("proc/50/lock", "1\n");
    const Report made = report();
    EXPECT_FALSE(made.decision);
    const std::string words = render_text(made);
    EXPECT_LT(words.find("thread 51 (worker)"), words.find("It is locked"));
    EXPECT_EQ(render_summary(made), "stays: clone_vm: thread 51 (worker); locked");
}

TEST_F(Why, AwayAndPending) {
    node_.put("proc/50/where", "2\n");
    node_.put("proc/50/nmigs", "3\n");
    node_.put("proc/50/migstat", "state away\nerrno 0\n");
    EXPECT_THAT(flat(), HasSubstr("on node 2, its home is node 1; it has moved 3 times"));
    node_.put("proc/50/where", "0\n");
    node_.put("proc/50/goto", "2\n");
    node_.put("proc/50/migstat", "state pending\nerrno -111\n");
    EXPECT_THAT(flat(), HasSubstr("A request to go to node 2 waits"));
    EXPECT_THAT(flat(), HasSubstr("ECONNREFUSED"));
    node_.put("proc/50/goto", "0\n");
    node_.put("proc/50/migstat", "state home\nerrno 0\nhome_reason syscall:57\ndecay_job io\n");
    EXPECT_THAT(flat(), HasSubstr("for a system call that is made there, fork."));
    EXPECT_THAT(flat(), HasSubstr("declared an I/O job"));
    node_.put("proc/50/migstat", "state home\nerrno 16\nhome_reason reason:mem_lock\n");
    EXPECT_THAT(flat(), HasSubstr("it has to stay because of mem_lock."));
    EXPECT_THAT(flat(), Not(HasSubstr("It came home")));
}

TEST_F(Why, AwayByHandOrByTheBalancer) {
    node_.put("proc/50/where", "2\n");
    node_.put("proc/50/migstat", "state away\nerrno 0\n");
    {
        const FakeOmd omd(socket(), R"({"pid":50,"reason":"stay","best":null,)"
                                    R"("text":"Nothing leaves node 1 by itself."})"
                                    "\n");
        const std::string words = text();
        EXPECT_THAT(words, HasSubstr("Somebody asked for that"));
        EXPECT_THAT(words, HasSubstr("        migrate 50 home\n"));
        EXPECT_THAT(words, Not(HasSubstr("nostay"))) << "that would not change where it is";
    }
    const std::string moved = R"({"pid":50,"reason":"moved","best":{"node":2,"load":0},)"
                              R"("text":"It was sent to node 2."})"
                              "\n";
    {
        const FakeOmd omd(socket(), moved);
        EXPECT_THAT(text(), HasSubstr("It was sent to node 2."));
    }
    node_.put("proc/50/where", "3\n");
    {
        const FakeOmd omd(socket(), moved);
        EXPECT_THAT(flat(), HasSubstr("sent it to another node first"));
    }
    // It does not know any more, or never did.
    for (const char* reason : {"quiet", "balance_off", "not_seen"}) {
        const FakeOmd omd(socket(), fmt::format(R"({{"reason":"{}","best":null,"text":"x"}})"
                                                "\n",
                                                reason));
        EXPECT_THAT(flat(), HasSubstr("or a balancer did")) << reason;
    }
}

TEST_F(Why, WhatAProcessCallsItselfDoesNothingToATerminal) {
    node_.process(50, "a\x1b[2J", 1);
    node_.put("proc/50/cantmove", "clone_vm\n");
    node_.put("proc/50/task/51/comm", "w\x1b]0;x\x07\n");
    const Report made = report();
    for (const std::string& words : {render_text(made), render_summary(made)}) {
        EXPECT_THAT(words, Not(HasSubstr("\x1b")));
        EXPECT_THAT(words, HasSubstr("w?]0;x?"));
    }
    EXPECT_THAT(render_text(made), HasSubstr("50 (a?[2J) of"));
    testing::internal::CaptureStdout();
    EXPECT_EQ(moswhy_program({"--root", node_.places().root, "--all"}), 0);
    EXPECT_THAT(testing::internal::GetCapturedStdout(), Not(HasSubstr("\x1b")));
}

TEST_F(Why, AGuestIsItsHomesAffair) {
    node_.put("proc/hpc/remote/50/from", "2\n");
    node_.put("proc/hpc/remote/50/identity", "33 calc\n");
    EXPECT_THAT(flat(), HasSubstr("Its home is node 2, where it is process 33 calc"));
    EXPECT_THAT(text(), HasSubstr("        moswhy 33\n"));
}

TEST_F(Why, ANodeThatIsNotConfigured) {
    node_.put("proc/hpc/admin/mospe", "0\n");
    EXPECT_THAT(flat(), HasSubstr("This node is not configured, so nothing moves here"));
    EXPECT_FALSE(report().decision);
}

TEST_F(Why, EachWordOfTheBalancerHasItsCommand) {
    const nlohmann::json none = nlohmann::json::object();
    EXPECT_EQ(remedy_for("stay", none, 50)->command, "mosctl nostay");
    EXPECT_EQ(remedy_for("lstay", none, 50)->command, "mosctl nolstay");
    EXPECT_EQ(remedy_for("quiet", none, 50)->command, "mosctl noquiet");
    EXPECT_EQ(remedy_for("balance_off", none, 50)->command, "/etc/init.d/openmosix reload");
    EXPECT_EQ(remedy_for("balanced", none, 50, "3")->command, "migrate 50 3");
    EXPECT_EQ(remedy_for("refused_by_node", none, 50, "3")->command, "migrate 50 3");
    EXPECT_FALSE(remedy_for("balanced", none, 50)) << "no other node is up";
    EXPECT_FALSE(remedy_for("refused_by_node", none, 50));
    EXPECT_FALSE(remedy_for("guest", none, 50));
}

TEST_F(Why, ExitStatuses) {
    const std::string root = node_.places().root;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(moswhy_program({"--root", root, "50"}), 0);
    EXPECT_EQ(moswhy_program({"--json", "--root=" + root, "--all"}), 0);
    EXPECT_EQ(moswhy_program({"--root", root, "51"}), 1);
    EXPECT_EQ(moswhy_program({"--root", root}), 2);
    EXPECT_EQ(moswhy_program({"--root", root, "50", "--all"}), 2);
    EXPECT_EQ(moswhy_program({"--root", root, "x"}), 2);
    EXPECT_EQ(moswhy_program({"--root"}), 2);
    std::filesystem::remove_all(node_.path("proc/hpc"));
    EXPECT_EQ(moswhy_program({"--root", root, "50"}), 3);
    EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("\"pid\": 50"));
    (void)testing::internal::GetCapturedStderr();
}

TEST(Wrap, BreaksAtBlanks) {
    EXPECT_EQ(wrap("aa bb cc", "- ", "  ", 7), "- aa bb\n  cc\n");
    EXPECT_EQ(wrap("", "- ", "  "), "");
    EXPECT_EQ(wrap("a_word_that_is_too_long", "", "", 5), "a_word_that_is_too_long\n");
}

}  // namespace
}  // namespace mosrig
