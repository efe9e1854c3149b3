// SPDX-License-Identifier: GPL-2.0-only
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>

#include "common/fake_omd.h"
#include "common/program.h"
#include "common/test_folder.h"
#include "setpe/options.h"
#include "setpe/table.h"

namespace mosrig {
namespace {

using testing::HasSubstr;
using Action = SetpeOptions::Action;

TEST(SetpeOptions, OneAction) {
    EXPECT_EQ(parse_setpe_options({"-w"})->action, Action::install);
    EXPECT_EQ(parse_setpe_options({"-W", "-f", "x"})->file, "x");
    EXPECT_EQ(parse_setpe_options({"-off"})->action, Action::off);
    EXPECT_EQ(parse_setpe_options({"-reload"})->action, Action::reload);
    EXPECT_EQ(parse_setpe_options({"-r"})->action, Action::read);
    EXPECT_EQ(parse_setpe_options({"-c", "-p", "7"})->self, 7U);
    EXPECT_EQ(parse_setpe_options({"-w", "-g", "2", "-n", "2"})->gateways, 2U);
    for (const Words& words : std::vector<Words>{{},
                                                 {"-f", "x"},
                                                 {"-w", "-r"},
                                                 {"-w", "-g", "3"},
                                                 {"-w", "-p", "0"},
                                                 {"-w", "-p"},
                                                 {"-w", "-n", "6"},
                                                 {"-q"}}) {
        EXPECT_FALSE(parse_setpe_options(words)) << testing::PrintToString(words);
    }
}

TEST(SetpeTable, FindsItself) {
    const std::vector<MapNode> nodes{{1, 0x0a420001, "a"}, {2, 0x0a420002, "b"}};
    const auto second = [](std::uint32_t address) { return address == 0x0a420002; };
    const auto nobody = [](std::uint32_t) { return false; };
    EXPECT_EQ(own_in_table(nodes, std::nullopt, second)->id, 2U);
    EXPECT_EQ(own_in_table(nodes, 1, second)->id, 1U);
    EXPECT_THAT(own_in_table(nodes, std::nullopt, nobody).error().text,
                HasSubstr("no interface of this node has an address of it"));
    EXPECT_FALSE(own_in_table(nodes, 3, second));
}

TEST(SetpeTable, WhatIsPrintedCanBeReadAgain) {
    const std::vector<MapNode> nodes{{1, 0x0a420001, ""}, {2, 0x0a420002, ""}, {9, 0x0a420105, ""}};
    const std::string text = format_table(nodes, 2);
    EXPECT_THAT(text, HasSubstr("# This is openMosix node #2\n"));
    EXPECT_THAT(text, HasSubstr("# openMosix range 1-2 begins at 10.66.0.1\n1 10.66.0.1 2\n"));
    EXPECT_THAT(text, HasSubstr("# Total configured: 3\n"));
    EXPECT_EQ(parse_map(text, {})->size(), 3U);
}

class Setpe : public testing::Test {
  protected:
    void SetUp() override { node_.cluster(); }
    int run(Words words) {
        words.insert(words.begin(), {"--root", node_.places().root});
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int status = setpe_program(std::move(words));
        out_ = testing::internal::GetCapturedStdout();
        error_ = testing::internal::GetCapturedStderr();
        return status;
    }
    [[nodiscard]] std::string table(const std::string& text) const {
        node_.put("table", text);
        return node_.path("table");
    }
    TestFolder node_;
    std::string out_;
    std::string error_;
};

TEST_F(Setpe, InstallsAndTellsOmd) {
    FakeOmd omd(node_.places().omd_socket(), "{\"ok\":true}\n");
    EXPECT_EQ(run({"-w", "-f", table("5 127.0.0.1 1\n")}), 0) << error_;
    EXPECT_EQ(omd.request(), "reload\n");
    EXPECT_EQ(node_.get("etc/openmosix.map"), "5 127.0.0.1 1\n");
    EXPECT_FALSE(std::filesystem::exists(node_.path("etc/openmosix.map.new")));
}

TEST_F(Setpe, SaysIfNobodyHears) {
    EXPECT_EQ(run({"-w", "-f", table("5 127.0.0.1 1\n")}), 1);
    EXPECT_THAT(error_, HasSubstr("is installed, but omd does not run"));
    const FakeOmd omd(node_.places().omd_socket(), "{\"ok\":false,\"text\":\"no key\"}\n");
    EXPECT_EQ(run({"-w", "-f", node_.path("table")}), 1);
    EXPECT_THAT(error_, HasSubstr("omd does not take it: no key"));
}

TEST_F(Setpe, AReloadSaysIfItWasNotTaken) {
    {
        FakeOmd omd(node_.places().omd_socket(), "{\"ok\":true}\n");
        EXPECT_EQ(run({"-reload"}), 0) << error_;
        EXPECT_EQ(omd.request(), "reload\n");
    }
    {
        const FakeOmd omd(node_.places().omd_socket(),
                          "{\"ok\":false,\"text\":\"line 3: no address\"}\n");
        EXPECT_EQ(run({"-reload"}), 1);
        EXPECT_THAT(error_, HasSubstr("line 3: no address"));
    }
    std::filesystem::remove(node_.places().omd_socket());
    // Somebody else has the number that omd had once: not even a signal is tried.
    node_.process(::getpid(), "bystander", 1);
    node_.put("run/omd.pid", std::to_string(::getpid()) + "\n");
    ASSERT_EQ(node_.places().omd_pid(), node_.path("run/omd.pid"));
    std::signal(SIGHUP, SIG_IGN);
    EXPECT_EQ(run({"-reload"}), 1);
    EXPECT_THAT(error_, HasSubstr("omd does not run"));
    node_.process(::getpid(), "omd", 1);
    EXPECT_EQ(run({"-reload"}), 0) << error_;
    std::signal(SIGHUP, SIG_DFL);
}

TEST_F(Setpe, EverybodyMayReadTheTableWhateverTheUmask) {
    const FakeOmd omd(node_.places().omd_socket(), "{\"ok\":true}\n");
    const std::string file = table("5 127.0.0.1 1\n");
    const mode_t before = ::umask(077);
    EXPECT_EQ(run({"-w", "-f", file}), 0) << error_;
    ::umask(before);
    EXPECT_EQ(std::filesystem::status(node_.path("etc/openmosix.map")).permissions(),
              std::filesystem::perms(0644));
}

TEST_F(Setpe, ABadTableChangesNothing) {
    const std::string before = node_.get("etc/openmosix.map");
    for (const char* text : {"", "x\n", "1 127.0.0.1 1\n1 127.0.0.2 1\n", "1 192.0.2.1 1\n"}) {
        EXPECT_EQ(run({"-w", "-f", table(text)}), 1) << text;
        EXPECT_EQ(run({"-c", "-f", node_.path("table")}), 1) << text;
    }
    EXPECT_THAT(error_, HasSubstr("well-formed, but"));
    EXPECT_EQ(node_.get("etc/openmosix.map"), before);
    EXPECT_EQ(run({"-c", "-f", node_.path("absent")}), 1);
}

TEST_F(Setpe, ChecksAnywhereAndChangesOnlyOpenMosix) {
    std::filesystem::remove_all(node_.path("proc/hpc"));
    EXPECT_EQ(run({"-c", "-f", table("5 127.0.0.1 1\n")}), 0);
    EXPECT_EQ(run({"-w", "-f", node_.path("table")}), 3);
    EXPECT_EQ(run({"-r"}), 3);
    EXPECT_EQ(run({"-off"}), 3);
}

TEST_F(Setpe, ReadsAndRemoves) {
    EXPECT_EQ(run({"-r"}), 0);
    EXPECT_THAT(out_, HasSubstr("\n1 10.66.0.1 2\n"));
    EXPECT_EQ(run({"-r", "-f", node_.path("saved")}), 0);
    EXPECT_EQ(node_.get("saved"), out_.empty() ? node_.get("saved") : out_);
    EXPECT_EQ(run({"-off"}), 0);
    EXPECT_EQ(node_.get("proc/hpc/admin/mospe"), "0\n");
}

TEST_F(Setpe, ShowmapHasTheHistoricalForm) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(showmap_program({"--root", node_.places().root}), 0);
    EXPECT_EQ(testing::internal::GetCapturedStdout(),
              "My Node-Id: 0x0001\n\n"
              "Base Node-Id Address          Count\n"
              "------------ ---------------- -----\n"
              "0x0001       10.66.0.1        2\n");
}

}  // namespace
}  // namespace mosrig
