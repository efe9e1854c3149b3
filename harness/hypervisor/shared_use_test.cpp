// SPDX-License-Identifier: MIT
#include "harness/hypervisor/shared_use.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace mosrig {
namespace {

namespace fs = std::filesystem;

class Shared : public testing::Test {
  protected:
    void SetUp() override {
        std::array<char, 40> name{"/tmp/mosrig-shared-XXXXXX"};
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        top_ = name.data();
        fs::create_directories(top_ / "a/mosrig");
    }
    void TearDown() override { fs::remove_all(top_); }

    [[nodiscard]] SharedUse use() const { return SharedUse(top_ / "use"); }
    // Leaves, and tells whether it was the last to.
    bool leave(const fs::path& user) {
        bool ended = false;
        EXPECT_TRUE(use().leave(user, [&ended]() -> Result<void> {
            ended = true;
            return {};
        }));
        return ended;
    }
    static Result<void> nothing() { return {}; }

    fs::path top_;
};

TEST_F(Shared, TheLastOneEndsItWhoeverMadeIt) {
    ASSERT_TRUE(use().enter(top_ / "a/mosrig", nothing));
    ASSERT_TRUE(use().enter(top_ / "a", nothing));
    EXPECT_TRUE(use().in_use());
    EXPECT_FALSE(leave(top_ / "a/mosrig"));
    EXPECT_TRUE(leave(top_ / "a"));
    EXPECT_FALSE(fs::exists(top_ / "use"));
    EXPECT_FALSE(leave(top_ / "a")) << "once only";
}

TEST_F(Shared, OneWhoseStateIsGoneHoldsNothing) {
    ASSERT_TRUE(use().enter(top_ / "a/mosrig", nothing));
    ASSERT_TRUE(use().enter(top_ / "a", nothing));
    fs::remove_all(top_ / "a/mosrig");
    EXPECT_TRUE(leave(top_ / "a"));
}

TEST_F(Shared, WhatCannotBeEndedStays) {
    ASSERT_TRUE(use().enter(top_ / "a", nothing));
    EXPECT_FALSE(use().leave(top_ / "a", []() -> Result<void> { return infra_error("no"); }));
    EXPECT_TRUE(use().in_use());
    EXPECT_TRUE(leave(top_ / "a")) << "a second try is made";
}

}  // namespace
}  // namespace mosrig
