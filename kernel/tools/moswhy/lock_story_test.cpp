// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/lock_story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/test_folder.h"

namespace mosrig {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* inittab =
    "# mosrun -h in a comment\n"
    "id:2:initdefault:\n"
    "si::sysinit:/usr/local/bin/mosrun -h /etc/init.d/rcS\n"
    "l2:2:wait:/usr/local/bin/mosrun -h /etc/init.d/rc 2\n"
    "l3:3:wait:/usr/local/bin/mosrun -l /etc/init.d/rc 3\n"
    "1:23:respawn:/sbin/getty tty1\n";

class Lock : public testing::Test {
  protected:
    void SetUp() override {
        node_.cluster();
        node_.process(1, "init", 0);
        node_.put("etc/inittab", inittab);
    }
    void lock(int pid, const std::string& on, const std::string& by) const {
        const std::string folder = "proc/" + std::to_string(pid) + "/";
        node_.put(folder + "lock", "1\n");
        node_.put(folder + "migstat",
                  "state home\nlock_set_on " + on + "\nlock_set_by " + by + "\n");
    }
    [[nodiscard]] LockStory story(int pid) const {
        return lock_story(Subject(pid, node_.places())).value_or(LockStory{});
    }
    TestFolder node_;
};

TEST_F(Lock, NoLockNoStory) {
    node_.process(50, "prog", 1);
    EXPECT_FALSE(lock_story(Subject(50, node_.places())));
}

TEST_F(Lock, SetByItselfOrAnother) {
    node_.process(50, "prog", 1);
    lock(50, "50 prog", "50 prog");
    EXPECT_EQ(story(50).origin, "self");
    EXPECT_THAT(story(50).text, HasSubstr("locked itself"));
    lock(50, "50 mosrun", "50 mosrun");
    EXPECT_THAT(story(50).text, HasSubstr("mosrun started it locked"));
    EXPECT_THAT(story(50).boot_lines, IsEmpty());
    lock(50, "50 prog", "70 bash");
    EXPECT_EQ(story(50).origin, "other");
    EXPECT_THAT(story(50).text, HasSubstr("Process 70 (bash) wrote 1"));
    EXPECT_THAT(story(50).remedies, Contains(Field(&Remedy::command, "echo 0 > /proc/50/lock")));
}

TEST_F(Lock, InheritedFromAnAncestor) {
    node_.process(40, "make", 1);
    node_.process(45, "sh", 40);
    node_.process(50, "cc1", 45);
    lock(40, "40 make", "30 admin");
    lock(45, "40 make", "30 admin");
    lock(50, "40 make", "30 admin");
    EXPECT_EQ(story(50).origin, "ancestor");
    EXPECT_THAT(story(50).text, HasSubstr("its ancestor 40 (make), which process 30 (admin), now "
                                          "ended, had locked"));
    EXPECT_THAT(story(50).remedies, Contains(Field(&Remedy::command, "echo 0 > /proc/45/lock")));
}

TEST_F(Lock, TheBootProfileIsNamedWithItsLine) {
    node_.process(40, "rc", 1);
    node_.put("proc/40/cmdline", std::string("/bin/sh\0/etc/init.d/rc\0002", 25));
    node_.process(50, "cron", 40);
    lock(40, "40 mosrun", "40 mosrun");
    lock(50, "40 mosrun", "40 mosrun");
    EXPECT_EQ(story(50).origin, "boot");
    EXPECT_THAT(story(50).boot_lines, ElementsAre(HasSubstr("l2:2:wait")));
    EXPECT_THAT(story(50).text, HasSubstr("That is this node's boot profile"));
}

TEST_F(Lock, OfAnEndedScriptTheBootProfileIsLikely) {
    node_.process(50, "cron", 1);
    lock(50, "40 mosrun", "40 mosrun");
    EXPECT_EQ(story(50).origin, "boot");
    EXPECT_EQ(story(50).boot_lines.size(), 2U);
    EXPECT_THAT(story(50).text, HasSubstr("most likely"));
}

TEST_F(Lock, WhatALoginStartedIsNotOfTheBoot) {
    node_.process(30, "getty", 1);
    node_.process(35, "bash", 30);
    node_.process(50, "prog", 35);
    lock(50, "40 mosrun", "40 mosrun");
    EXPECT_EQ(story(50).origin, "ancestor");
    EXPECT_THAT(story(50).boot_lines, IsEmpty());
}

TEST_F(Lock, OnANodeThatBootsOpenNothingIsOfTheBoot) {
    node_.put("etc/inittab", "l2:2:wait:/etc/init.d/rc 2\n");
    node_.process(50, "cron", 1);
    lock(50, "40 mosrun", "40 mosrun");
    EXPECT_EQ(story(50).origin, "ancestor");
}

TEST_F(Lock, AKernelThatTellsNothing) {
    node_.process(40, "sh", 1);
    node_.process(50, "prog", 40);
    node_.put("proc/40/lock", "1\n");
    node_.put("proc/50/lock", "1\n");
    EXPECT_EQ(story(50).origin, "unknown");
    EXPECT_THAT(story(50).text, HasSubstr("40 (sh)"));
}

TEST_F(Lock, LinesThatLock) {
    EXPECT_EQ(locking_lines(inittab).size(), 2U);
    EXPECT_THAT(locking_lines("a:b:c\nx:2:wait:/bin/mosrun prog\n"),
                ElementsAre("x:2:wait:/bin/mosrun prog"));
}

}  // namespace
}  // namespace mosrig
