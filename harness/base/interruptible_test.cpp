// SPDX-License-Identifier: MIT
#include "harness/base/interruptible.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "harness/base/fd.h"

namespace mosrig {
namespace {

TEST(Interruptible, PassesTheStatusOn) {
    const auto end = run_interruptible([] { return 7; });
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 7);
    EXPECT_FALSE(end->stopped);
}

TEST(Interruptible, ADeathIsNoStatusOfTheWork) {
    const auto end = run_interruptible([] {
        (void)::raise(SIGKILL);
        return 0;
    });
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 128 + SIGKILL);
    EXPECT_FALSE(end->stopped);
}

// The work tells its parent to end, as a CI server would, and has a child of its own that holds a
// pipe open: when all of it has ended, the pipe is at its end.
TEST(Interruptible, ASignalToTheParentStopsTheWorkAndItsChildren) {
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    const pid_t self = ::getpid();
    const auto end = run_interruptible([&] {
        pipe->read_end.reset();
        if (::fork() == 0) {
            ::pause();
        }
        (void)::kill(self, SIGTERM);
        ::pause();
        return 0;
    });
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->stopped);
    EXPECT_EQ(end->status, 128 + SIGTERM);
    pipe->write_end.reset();
    char byte = 0;
    EXPECT_EQ(::read(pipe->read_end.get(), &byte, 1), 0);
}

TEST(Interruptible, SignalsWorkAsBeforeAfterwards) {
    sigset_t before = {};
    sigset_t after = {};
    ::sigprocmask(SIG_SETMASK, nullptr, &before);
    ASSERT_TRUE(run_interruptible([] { return 0; }));
    ::sigprocmask(SIG_SETMASK, nullptr, &after);
    EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

}  // namespace
}  // namespace mosrig
