// SPDX-License-Identifier: GPL-2.0-only
#include "common/process.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mosrig {
namespace {

// A tree that looks like /proc.
class FakeProc : public testing::Test {
  protected:
    void SetUp() override {
        std::string path = testing::TempDir() + "om_procXXXXXX";
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        root_ = path;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void put(pid_t pid, const std::string& name, const std::string& text) {
        const auto folder = root_ / std::to_string(pid);
        std::filesystem::create_directories(folder);
        std::ofstream(folder / name) << text;
    }
    [[nodiscard]] Process process(pid_t pid) const { return Process(pid, root_.string()); }

  private:
    std::filesystem::path root_;
};

TEST(Stat, SurvivesAnyCommandName) {
    const auto stat = parse_stat("12 (a) R 1 (b) S 77 12 12 0\n");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 77);
    EXPECT_FALSE(parse_stat(""));
    EXPECT_FALSE(parse_stat("12 (x)"));
}

TEST(Values, OnePerLine) {
    auto values = parse_values("state away\nerrno 0\nempty\n");
    EXPECT_EQ(values["state"], "away");
    EXPECT_EQ(values["errno"], "0");
    EXPECT_EQ(values["empty"], "");
}

TEST(SyscallFile, NamesTheCallOnlyIfItSleepsInOne) {
    EXPECT_EQ(call_from_syscall_file("0 0x3 0x7ffd 0x1000 0x0 0x0 0x0 0x7ffd 0x7f\n"), "read");
    EXPECT_EQ(call_from_syscall_file("230 0x0 0x0\n"), "clock_nanosleep");
    EXPECT_EQ(call_from_syscall_file("9999 0x0\n"), "syscall 9999");
    EXPECT_EQ(call_from_syscall_file("running\n"), std::nullopt);
    EXPECT_EQ(call_from_syscall_file("-1 0x7ffd 0x7f\n"), std::nullopt);
}

TEST_F(FakeProc, TellsWhatAProcessDoes) {
    put(5, "stat", "5 (cat) S 1 5 5");
    put(5, "syscall", "0 0x0 0x0");
    EXPECT_EQ(process(5).activity(), "sleeps in read");
    put(6, "stat", "6 (cat) S 1 5 5");
    put(6, "wchan", "pipe_read");
    EXPECT_EQ(process(6).activity(), "sleeps (in pipe_read)");
    put(7, "stat", "7 (cat) T 1 5 5");
    EXPECT_EQ(process(7).activity(), "is stopped");
    put(8, "stat", "8 (cat) R 1 5 5");
    EXPECT_EQ(process(8).activity(), "is running");
    put(9, "stat", "9 (cat) D 1 5 5");
    EXPECT_EQ(process(9).activity(), "is in state D");
    EXPECT_EQ(process(10).activity(), "has ended");
}

TEST_F(FakeProc, ReadsNumbersAndReasons) {
    put(5, "where", "2\n");
    put(5, "cantmove", "monkey\nclone_vm\n");
    EXPECT_EQ(process(5).number("where"), 2);
    EXPECT_EQ(process(5).number("nmigs"), std::nullopt);
    EXPECT_EQ(process(5).reasons(), "monkey clone_vm");
    EXPECT_EQ(process(6).reasons(), "");
}

TEST_F(FakeProc, FindsAncestors) {
    put(::getppid(), "stat", std::to_string(::getppid()) + " (sh) S 4 1 1");
    put(4, "stat", "4 (init) S 0 1 1");
    EXPECT_TRUE(process(::getppid()).is_own_ancestor());
    EXPECT_TRUE(process(4).is_own_ancestor());
    EXPECT_FALSE(process(3).is_own_ancestor());
}

TEST(RefusalSentence, HasTheNameOfTheErrorAndTheReasons) {
    EXPECT_EQ(refusal_sentence(EBUSY, "clone_vm mem_lock"),
              "EBUSY (Device or resource busy): it has to stay because of clone_vm mem_lock");
    EXPECT_EQ(refusal_sentence(EBUSY, reason_of("reason:mem_lock")),
              "EBUSY (Device or resource busy): it has to stay because of mem_lock");
    EXPECT_EQ(reason_of("syscall:57"), "");
    EXPECT_EQ(refusal_sentence(ENETUNREACH, "monkey"),
              "ENETUNREACH (Network is unreachable): the node is down");
    EXPECT_EQ(refusal_sentence(EIO, ""), "EIO (Input/output error)");
}

}  // namespace
}  // namespace mosrig
