// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/base/subprocess.h"
#include "harness/deadline/calibration.h"

namespace mosrig {
namespace {

Deadline soon() {
    return {"the test", Millis(20'000)};
}

TEST(Error, ReadsAsOneLine) {
    Error error{ErrorKind::infra, "it broke", "mend it", "node1", 0};
    EXPECT_EQ(error.message(), "node1: it broke (mend it)");
    EXPECT_EQ(exit_code(error), 3);
    error.kind = ErrorKind::usage;
    EXPECT_EQ(exit_code(error), 2);
}

TEST(Deadline, NamesWhatWasWaitedFor) {
    const auto waited = wait_until(
        Deadline("godot", Millis(30)), []() -> Result<bool> { return false; }, Millis(5));
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().kind, ErrorKind::timeout);
    EXPECT_NE(waited.error().what.find("godot"), std::string::npos);
}

TEST(Deadline, AConditionThatFailsEndsTheWait) {
    const auto before = Clock::now();
    EXPECT_FALSE(wait_until(soon(), []() -> Result<bool> { return infra_error("no"); }));
    EXPECT_LT(Clock::now() - before, std::chrono::seconds(10));
}

TEST(Calibration, ScalesWithinBounds) {
    EXPECT_EQ(Calibration(2.5).scale(Millis(100)), Millis(250));
    EXPECT_EQ(Calibration(0.1).factor(), 1.0);
    EXPECT_EQ(Calibration(1e9).factor(), Calibration(1e8).factor());
}

TEST(Subprocess, OutputErrorsStatusAndEnvironment) {
    const auto result = run_subprocess({"sh", "-c", "echo $GREETING >&2; wc -c; exit 3"}, soon(),
                                       {"GREETING=hello"});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 3);
    EXPECT_EQ(result->err, "hello\n");
    EXPECT_EQ(result->out, "0\n") << "nobody writes to it";
}

TEST(Subprocess, DeadlineKillsTheGroup) {
    const auto result =
        run_subprocess({"sh", "-c", "sleep 100; echo late"}, Deadline("a nap", Millis(100)));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::timeout);
}

TEST(Subprocess, AChildThatKeepsThePipesIsNotWaitedFor) {
    const auto before = Clock::now();
    const auto result = run_subprocess({"sh", "-c", "sleep 30 & echo done"}, soon());
    ASSERT_TRUE(result);
    EXPECT_EQ(result->out, "done\n");
    EXPECT_LT(Clock::now() - before, std::chrono::seconds(15));
}

TEST(Subprocess, WhatTheCallerHasOpenIsNotInherited) {
    const Fd open(::dup2(STDERR_FILENO, 77));
    ASSERT_TRUE(open);
    const auto result = run_subprocess({"sh", "-c", "! [ -e /proc/self/fd/77 ]"}, soon());
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 0);
}

TEST(Subprocess, AMissingProgramSaysWhatToDo) {
    const auto result = run_subprocess({"no-such-program-here"}, soon());
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().remedy.find("no-such-program-here"), std::string::npos);
}

TEST(Files, AreReplacedWholeWithTheirMode) {
    const std::filesystem::path file =
        std::filesystem::temp_directory_path() / ("mosrig-file-" + std::to_string(::getpid()));
    ASSERT_TRUE(write_text_file(file, "one", 0600));
    ASSERT_TRUE(write_text_file(file, "two", 0640));
    EXPECT_EQ(read_text_file(file).value(), "two");
    struct stat status = {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0640U);
    std::filesystem::remove(file);
    EXPECT_EQ(read_text_file(file).error().sys_errno, ENOENT);
}

TEST(Files, TheLastWordsOfALogAreItsLastWholeLines) {
    const std::filesystem::path log =
        std::filesystem::path(::testing::TempDir()) / fmt::format("log-{}", ::getpid());
    EXPECT_EQ(last_words(log), "") << "it is not there";
    ASSERT_TRUE(write_text_file(log, "\n"));
    EXPECT_EQ(last_words(log), "") << "it says nothing";
    ASSERT_TRUE(write_text_file(log, std::string(500, 'x') + "\nbind: too long\nbye\n"));
    EXPECT_EQ(last_words(log), "; its log ends with: bind: too long\nbye");
    ASSERT_TRUE(write_text_file(log, std::string(500, 'x') + "y"));
    EXPECT_EQ(last_words(log), "; its log ends with: " + std::string(399, 'x') + "y");
    std::filesystem::remove(log);
}

}  // namespace
}  // namespace mosrig
