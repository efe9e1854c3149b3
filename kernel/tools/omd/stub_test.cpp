// SPDX-License-Identifier: GPL-2.0-only
#include "omd/stub.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/file.h"
#include "omd/fake_device.h"

namespace mosrig {
namespace {

// Runs in the stub: tells over the link how many descriptors it has and whether signals are free.
int describe_stub(std::uint32_t node, int fd) {
    int open = 0;
    for (int number = 0; number < 1024; number++) {
        open += ::fcntl(number, F_GETFD) >= 0 ? 1 : 0;
    }
    sigset_t blocked;
    ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
    const std::array<int, 4> facts{static_cast<int>(node), open, ::sigismember(&blocked, SIGTERM),
                                   ::getsid(0) == ::getpid() ? 1 : 0};
    return ::write(fd, facts.data(), sizeof(facts)) == sizeof(facts) ? 0 : errno;
}

int refuse_body(std::uint32_t, int) {
    return ENOTTY;
}

class Stub : public testing::Test {
  protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        near_.reset(ends[0]);
        far_.reset(ends[1]);
        log_ = testing::TempDir() + "om_stub." + std::to_string(::getpid());
    }
    void TearDown() override { std::filesystem::remove(log_); }

    int run_to_end() {
        const auto pid = fork_stub(device_, 7, far_.get(), log_);
        EXPECT_TRUE(pid);
        int status = -1;
        EXPECT_EQ(::waitpid(*pid, &status, 0), *pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    FakeDevice device_;
    Fd near_;
    Fd far_;
    std::string log_;
};

TEST_F(Stub, KeepsOnlyTheDeviceAndTheLink) {
    sigset_t block;
    sigset_t before;
    ::sigemptyset(&block);
    ::sigaddset(&block, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &block, &before);
    device_.body = describe_stub;
    EXPECT_EQ(run_to_end(), 0);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    std::array<int, 4> facts{};
    ASSERT_EQ(::read(near_.get(), facts.data(), sizeof(facts)),
              static_cast<ssize_t>(sizeof(facts)));
    EXPECT_EQ(facts, (std::array<int, 4>{7, 2, 0, 1}));
}

TEST_F(Stub, SaysWhyTheKernelRefusedAndEnds) {
    device_.body = refuse_body;
    EXPECT_EQ(run_to_end(), 1);
    EXPECT_NE(read_text(log_)->find("the kernel did not make a body for node 7: ENOTTY"),
              std::string::npos);
}

}  // namespace
}  // namespace mosrig
