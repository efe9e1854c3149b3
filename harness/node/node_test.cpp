// SPDX-License-Identifier: MIT
// A node whose agent runs on this machine: everything but ssh.
#include "harness/node/node.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <random>
#include <thread>
#include <utility>

#include "harness/base/fd.h"
#include "harness/node/local_agent.h"

namespace mosrig {
namespace {

Deadline soon(const std::string& name = "the test") {
    return {name, Millis(20'000)};
}

StartOptions here() {
    StartOptions options;
    options.directory = "/";
    return options;
}

class LocalNode : public ::testing::Test {
  protected:
    void SetUp() override {
        NodeInfo info;
        info.name = "node1";
        node_ = std::make_unique<Node>(info, "");
        auto transport = start_local_agent({MOSRIG_RUN, "agent"});
        ASSERT_TRUE(transport);
        const auto connected = node_->connect_over(std::move(*transport), soon());
        ASSERT_TRUE(connected) << connected.error().message();
    }

    CommandResult run(const std::vector<std::string>& argv, const std::string& input = {}) {
        auto result = node_->run(argv, input, soon(), here());
        EXPECT_TRUE(result) << (result ? "" : result.error().message());
        return result ? *result : CommandResult{};
    }

    std::unique_ptr<Node> node_;
};

// Takes in what comes while it is asked for something else, as libssh does: the descriptor is
// silent then, though there is something to read.
class ReadsAhead final : public Transport {
  public:
    explicit ReadsAhead(std::unique_ptr<Transport> below) : below_(std::move(below)) {}

    Result<bool> read_some(std::string& into) override {
        if (!held_.empty()) {
            into += std::exchange(held_, {});
            return true;
        }
        pollfd fd{below_->poll_fd(), POLLIN, 0};
        if (::poll(&fd, 1, 200) > 0) {
            MOSRIG_CHECK(below_->read_some(held_));
        }
        return false;
    }
    Result<std::size_t> write_some(std::string_view data) override {
        return below_->write_some(data);
    }
    bool holds_input() override { return !held_.empty(); }
    [[nodiscard]] int poll_fd() const override { return below_->poll_fd(); }
    [[nodiscard]] short poll_events(bool want_write) const override {
        return below_->poll_events(want_write);
    }

  private:
    std::unique_ptr<Transport> below_;
    std::string held_;
};

TEST(ReadAhead, AnAnswerThatTheTransportHoldsIsNotWaitedFor) {
    auto transport = start_local_agent({MOSRIG_RUN, "agent"});
    ASSERT_TRUE(transport);
    NodeInfo info;
    info.name = "node1";
    Node node(info, "");
    const auto connected =
        node.connect_over(std::make_unique<ReadsAhead>(std::move(*transport)), soon());
    ASSERT_TRUE(connected) << connected.error().message();
    const auto result = node.run({"echo", "here"}, {}, soon(), here());
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(result->out, "here\n");
}

std::string random_bytes(std::size_t size) {
    std::mt19937_64 source(size);
    std::string bytes(size, '\0');
    for (char& byte : bytes) {
        byte = static_cast<char>(source());
    }
    return bytes;
}

bool gone(std::int64_t pid) {
    const Deadline deadline = soon("a process to end");
    return wait_until(deadline,
                      [pid]() -> Result<bool> {
                          return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
                      })
        .has_value();
}

TEST_F(LocalNode, OutputErrorsAndStatusPassThrough) {
    const CommandResult result = run({"sh", "-c", "echo out; echo err >&2; exit 7"});
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(result.out, "out\n");
    EXPECT_EQ(result.err, "err\n");
}

TEST_F(LocalNode, ArgumentsAreKeptAsGiven) {
    const CommandResult result =
        run({"printf", "[%s]", "two words", "", "$HOME", "a'b\"c", "\n", "*"});
    EXPECT_EQ(result.out, "[two words][][$HOME][a'b\"c][\n][*]");
}

TEST_F(LocalNode, StatusesAsAShellGivesThem) {
    EXPECT_EQ(run({"/no/such/program"}).status, 127);
    EXPECT_EQ(run({"/etc/passwd"}).status, 126);
    EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}).status, 137);
}

TEST_F(LocalNode, LargeBinaryInputAndOutputSurvive) {
    const std::string bytes = random_bytes(5'000'000);
    const CommandResult result = run({"cat"}, bytes);
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(result.out == bytes);
}

TEST_F(LocalNode, CommandThatReadsNothingIsNoError) {
    EXPECT_EQ(run({"true"}, random_bytes(1'000'000)).status, 0);
}

TEST_F(LocalNode, ReturnsWhileABackgroundChildHoldsThePipes) {
    const auto before = Clock::now();
    const CommandResult result = run({"sh", "-c", "(sleep 60; echo late) & echo $!; echo done"});
    EXPECT_LT(Clock::now() - before, std::chrono::seconds(10));
    EXPECT_EQ(result.status, 0);
    const std::int64_t child = std::stoll(result.out);
    EXPECT_EQ(result.out, std::to_string(child) + "\ndone\n");
    EXPECT_EQ(::kill(static_cast<pid_t>(child), 0), 0) << "the child must live on";
    ::kill(static_cast<pid_t>(child), SIGKILL);
}

TEST_F(LocalNode, BackgroundWriterLivesOnAfterTheConnection) {
    const CommandResult result = run({"sh", "-c", "(while :; do echo noise; done) & echo $! >&2"});
    const std::int64_t child = std::stoll(result.err);
    node_.reset();
    // SIGPIPE would end it at its next line, at once.
    ::poll(nullptr, 0, 200);
    EXPECT_EQ(::kill(static_cast<pid_t>(child), 0), 0);
    ::kill(static_cast<pid_t>(child), SIGKILL);
}

TEST_F(LocalNode, DeadlineKillsTheCommand) {
    auto process = node_->start({"sleep", "100"}, soon(), here());
    ASSERT_TRUE(process);
    const std::int64_t pid = process->pid();
    auto result = process->wait(Deadline("sleep to end", Millis(50)));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::timeout);
    EXPECT_EQ(result.error().node, "node1");
    { const RemoteProcess dropped = std::move(*process); }
    EXPECT_TRUE(gone(pid));
}

// Not the child that is about to be.
TEST_F(LocalNode, ProcessThatIsToldOfIsTheCommand) {
    for (int turn = 0; turn < 20; ++turn) {
        auto process = node_->start({"sleep", "100"}, soon(), here());
        ASSERT_TRUE(process);
        std::ifstream name("/proc/" + std::to_string(process->pid()) + "/comm");
        std::string seen;
        name >> seen;
        EXPECT_EQ(seen, "sleep");
    }
}

TEST_F(LocalNode, EndOfTheConnectionKillsRunningCommands) {
    auto process =
        node_->start({"sh", "-c", "trap '' HUP TERM; while :; do sleep 1; done"}, soon(), here());
    ASSERT_TRUE(process);
    const std::int64_t pid = process->pid();
    ASSERT_TRUE(process->write("x", soon()));
    std::optional<RemoteProcess> held(std::move(*process));
    node_.reset();
    held.reset();
    EXPECT_TRUE(gone(pid));
}

// The agent learns from its first write that nobody listens any more.
TEST(AgentAlone, APeerThatLeftInGoodOrderBeforeTheFirstWordIsNoBrokenOne) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ::close(ends[0]);
    const pid_t agent = ::fork();
    if (agent == 0) {
        ::dup2(ends[1], STDIN_FILENO);
        ::dup2(ends[1], STDOUT_FILENO);
        ::execl(MOSRIG_RUN, MOSRIG_RUN, "agent", nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    int status = -1;
    ASSERT_EQ(::waitpid(agent, &status, 0), agent);
    EXPECT_EQ(status, 0);
}

TEST_F(LocalNode, TalksByLines) {
    auto process = node_->start({"sh", "-c", "echo READY; while read l; do echo \"got $l\"; done"},
                                soon(), here());
    ASSERT_TRUE(process);
    EXPECT_EQ(process->read_line(soon()).value(), "READY");
    ASSERT_TRUE(process->write_line("VERIFY", soon()));
    EXPECT_EQ(process->read_line(soon()).value(), "got VERIFY");
    const auto silence = process->read_line(Deadline("a line that never comes", Millis(30)));
    ASSERT_FALSE(silence);
    EXPECT_EQ(silence.error().kind, ErrorKind::timeout);
    ASSERT_TRUE(process->close_input(soon()));
    EXPECT_EQ(process->read_line(soon()).value(), std::nullopt);
    EXPECT_EQ(process->wait(soon()).value(), 0);
}

TEST_F(LocalNode, KillReachesTheProcessAndItsChildren) {
    auto process = node_->start({"sh", "-c", "sleep 100 & echo $!; wait"}, soon(), here());
    ASSERT_TRUE(process);
    const auto child = process->read_line(soon());
    ASSERT_TRUE(child && *child);
    ASSERT_TRUE(process->kill(SIGTERM, soon()));
    EXPECT_EQ(process->wait(soon()).value(), 128 + SIGTERM);
    EXPECT_TRUE(gone(std::stoll(**child)));
}

TEST_F(LocalNode, ReadsFilesOrSaysWhyNot) {
    const auto texts = node_->read_files({"/proc/self/comm", "/no/such/file"}, soon());
    ASSERT_TRUE(texts);
    EXPECT_EQ((*texts)[0].value(), "mosrig-run\n");
    ASSERT_FALSE((*texts)[1]);
    EXPECT_EQ((*texts)[1].error().sys_errno, ENOENT);
    EXPECT_EQ((*texts)[1].error().kind, ErrorKind::remote);
}

TEST_F(LocalNode, ReadsOneFileOfEachProcess) {
    auto process = node_->start({"sleep", "100"}, soon(), here());
    ASSERT_TRUE(process);
    const auto line = [](std::int64_t pid) { return fmt::format("\n{} (", pid); };
    const std::string both = "\n" + node_->read_all("stat", soon()).value();
    EXPECT_NE(both.find(line(::getpid())), std::string::npos);
    EXPECT_NE(both.find(line(process->pid())), std::string::npos);
    ASSERT_TRUE(process->kill(SIGKILL, soon()));
    ASSERT_TRUE(process->wait(soon()));
    const std::string one = "\n" + node_->read_all("stat", soon()).value();
    EXPECT_EQ(one.find(line(process->pid())), std::string::npos);
    EXPECT_EQ(node_->read_all("no-such-file", soon()).value(), "");
}

TEST_F(LocalNode, WritesFilesAndGivesErrno) {
    EXPECT_EQ(node_->write_file("/dev/null", "x", soon()).value(), 0);
    EXPECT_EQ(node_->write_file("/dev/full", "x", soon()).value(), ENOSPC);
    EXPECT_EQ(node_->write_file("/no/such/file", "x", soon()).value(), ENOENT);
    if (::geteuid() == 0) {
        EXPECT_EQ(node_->write_file("/etc/passwd", "", soon(), 65534).value(), EACCES);
    }
}

TEST_F(LocalNode, RunsAsAnotherUser) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root";
    }
    StartOptions options = here();
    options.user = 65534;
    options.environment = {"WHO=me", "PATH=/usr/bin"};
    const auto result =
        node_->run({"sh", "-c", "id -u; id -G; echo $WHO $PATH"}, "", soon(), options);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->out, "65534\n65534\nme /usr/bin\n");
}

TEST_F(LocalNode, SignalsAnyProcessAndGivesErrno) {
    auto process = node_->start({"sleep", "100"}, soon(), here());
    ASSERT_TRUE(process);
    EXPECT_EQ(node_->send_signal(process->pid(), SIGKILL, soon()).value(), 0);
    EXPECT_EQ(process->wait(soon()).value(), 137);
    EXPECT_EQ(node_->send_signal(-1, SIGKILL, soon()).value(), EINVAL);
}

class Attached : public LocalNode {
  protected:
    // Runs the command with `input`, like `mosrig exec` in a pipeline.
    int attached(const std::vector<std::string>& argv, const std::string& input, std::string& out) {
        auto in = make_pipe();
        auto pipe = make_pipe();
        auto errors = make_pipe();
        std::thread writer([&, end = std::move(in->write_end)]() mutable {
            std::size_t at = 0;
            while (at < input.size()) {
                const ssize_t put = ::write(end.get(), input.data() + at, input.size() - at);
                if (put <= 0) {
                    break;
                }
                at += static_cast<std::size_t>(put);
            }
            end.reset();
        });
        std::thread reader([&] {
            std::string buffer(65536, '\0');
            for (ssize_t got = 0;
                 (got = ::read(pipe->read_end.get(), buffer.data(), buffer.size())) > 0;) {
                out.append(buffer.data(), static_cast<std::size_t>(got));
            }
        });
        const Streams streams{in->read_end.get(), pipe->write_end.get(), errors->write_end.get()};
        const auto status = node_->run_attached(argv, streams, here());
        in->read_end.reset();
        pipe->write_end.reset();
        writer.join();
        reader.join();
        return status.value_or(125);
    }
};

TEST_F(Attached, MovesBytesBothWays) {
    ::signal(SIGPIPE, SIG_IGN);
    const std::string bytes = random_bytes(3'000'000);
    std::string out;
    EXPECT_EQ(attached({"cat"}, bytes, out), 0);
    EXPECT_TRUE(out == bytes);
}

TEST_F(Attached, ReturnsThoughInputStaysOpen) {
    ::signal(SIGPIPE, SIG_IGN);
    std::string out;
    EXPECT_EQ(attached({"sh", "-c", "head -c 3; exit 5"}, "abcdef", out), 5);
    EXPECT_EQ(out, "abc");
}

TEST(LocalAgent, AProgramThatIsNoAgentIsAnError) {
    NodeInfo info;
    info.name = "node9";
    Node node(info, "");
    auto transport = start_local_agent({"false"});
    ASSERT_TRUE(transport);
    const auto connected = node.connect_over(std::move(*transport), soon());
    ASSERT_FALSE(connected);
    EXPECT_EQ(connected.error().node, "node9");
}

}  // namespace
}  // namespace mosrig
