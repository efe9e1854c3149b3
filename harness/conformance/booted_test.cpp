// SPDX-License-Identifier: MIT
#include "harness/conformance/booted.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/process/local_program.h"

namespace mosrig {
namespace {

class Booted : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "mosrig-booted-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        ASSERT_EQ(::mkfifo((folder_ + "/in").c_str(), 0600), 0);
        ASSERT_EQ(::mkfifo((folder_ + "/out").c_str(), 0600), 0);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<Program> start(const char* name, const std::string& script,
                                   const char* argument = "start") {
        const std::string file = folder_ + "/" + name;
        std::ofstream(file) << script;
        Result<std::unique_ptr<Program>> program = LocalProgram::start({"sh", file, argument}, {});
        EXPECT_TRUE(program);
        return program ? std::move(*program) : nullptr;
    }

    std::string folder_;
    Deadline patience_{"a script", Millis(20000)};
};

TEST_F(Booted, TheRelayTalksAndEndsAsTheProgramDoes) {
    const auto booted = start(
        "boot",
        boot_script(folder_, {"sh", "-c", "echo \"it's $1\"; read word; echo \"<$word>\"; exit 3",
                              "sh", "a  word"}));
    EXPECT_EQ(booted->wait(patience_).value_or(-1), 0) << "init does not wait for the program";
    const auto relay = start("relay", relay_script(folder_));
    EXPECT_EQ(relay->read_line(patience_).value().value_or(""), "it's a  word");
    EXPECT_TRUE(relay->write_line("one two", patience_));
    EXPECT_EQ(relay->read_line(patience_).value().value_or(""), "<one two>");
    EXPECT_FALSE(relay->read_line(patience_).value());
    EXPECT_EQ(relay->wait(patience_).value_or(-1), 3);
}

TEST_F(Booted, TheScriptStartsWhenItIsToldToStart) {
    const auto stopped = start("boot", boot_script(folder_, {"cat"}), "stop");
    EXPECT_EQ(stopped->wait(patience_).value_or(-1), 0);
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/errors")) << "it was started";
}

}  // namespace
}  // namespace mosrig
