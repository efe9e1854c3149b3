// SPDX-License-Identifier: GPL-2.0-only
// What becomes of moves that were granted, and who is told.
#include <sys/socket.h>
#include <sys/un.h>
#include <array>
#include <nlohmann/json.hpp>

#include "omd/balanced_nodes.h"
#include "omd/service.h"

namespace mosrig {
namespace {

class BalancerMoves : public Balancers {
  protected:
    // What node 1 answers, or nothing as long as it does not.
    class Question {
      public:
        Question(Service& service, const std::string& path, const std::string& line)
            : service_(service), fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
            sockaddr_un address{};
            address.sun_family = AF_UNIX;
            path.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
            const auto* any = reinterpret_cast<const sockaddr*>(&address);
            EXPECT_EQ(::connect(fd_.get(), any, sizeof(address)), 0);
            const std::string text = line + "\n";
            EXPECT_EQ(::send(fd_.get(), text.data(), text.size(), 0),
                      static_cast<ssize_t>(text.size()));
        }
        bool answered() {
            service_.run(Clock::now());
            std::array<char, 4096> block{};
            const ssize_t got = ::recv(fd_.get(), block.data(), block.size(), MSG_DONTWAIT);
            if (got > 0) {
                answer_.append(block.data(), static_cast<std::size_t>(got));
            }
            return got == 0;
        }
        [[nodiscard]] nlohmann::json answer() const {
            return nlohmann::json::parse(answer_, nullptr, false);
        }

      private:
        Service& service_;
        Fd fd_;
        std::string answer_;
    };

    void listen() {
        service_.emplace(*one_.daemon, one_.reactor, one_.log, Service::Sources{}, Setup{});
        service_->set_machine(one_.machine);
        ASSERT_TRUE(service_->listen(path_));
    }
    nlohmann::json ask(const std::string& line) {
        Question question(*service_, path_, line);
        EXPECT_TRUE(run_until([&] { return question.answered(); }));
        return question.answer();
    }

    using Setup = mosrig::Setup;  // GoogleTest has one, too
    std::string path_ = testing::TempDir() + "omd_moves." + std::to_string(::getpid()) + ".sock";
    std::optional<Service> service_;
};

TEST_F(BalancerMoves, AGuestThatItsHomeDoesNotLetGoIsLeftAloneAndNobodyIsBlamed) {
    one_.machine.tasks = {{101, 0, true}, {102, 2, false, 20000, true}};
    two_.machine.load.flags = policy::flag_block;  // node 3 it is
    start_all();
    ASSERT_TRUE(run_until([&] { return one_.agent().counters().failed == 1; }));
    EXPECT_EQ(one_.agent().why(102, 0).first.reason, policy::Reason::guest);
    run_for(std::chrono::milliseconds(1000));
    EXPECT_EQ(one_.agent().why(102, 0).first.reason, policy::Reason::guest);
    EXPECT_EQ(one_.agent().counters().asked, 1U);
    // Node 3 had no part in it: who may go, goes there, well before a node is not avoided any more.
    one_.machine.tasks.push_back({103});
    const Instant begin = Clock::now();
    ASSERT_TRUE(run_until([&] { return three_.machine.tasks.size() == 1; }));
    EXPECT_LT(Clock::now() - begin, std::chrono::milliseconds(3500));
    EXPECT_EQ(three_.machine.tasks.front().pid, 103);
}

TEST_F(BalancerMoves, WhoIsBackAtOnceHasMovedAndStaysForAWhile) {
    one_.machine.tasks = {{101}, {102, 0, true}};
    one_.machine.sticky = true;
    one_.machine.steps = {Machine::Progress::returned};
    start_all();
    ASSERT_TRUE(run_until([&] { return one_.agent().counters().moved == 1; }));
    EXPECT_EQ(one_.agent().counters().failed, 0U);
    ASSERT_TRUE(run_until(
        [&] { return one_.agent().why(101, 0).first.reason == policy::Reason::just_moved; }));
}

TEST_F(BalancerMoves, WhatFollowsAProcessIsWaitedForBeforeItsCostIsLearnt) {
    one_.machine.tasks = {{101}, {102, 0, true}};
    one_.machine.follows = 3;
    start_all();
    ASSERT_TRUE(run_until([&] { return one_.agent().counters().moved == 1; }));
    EXPECT_EQ(one_.machine.follows, 2);
    EXPECT_TRUE(run_until([&] { return one_.machine.follows == 0; }));
    run_for(std::chrono::milliseconds(600));
    EXPECT_EQ(one_.machine.follows, -1) << "told its cost, it is not asked about any more";
}

TEST_F(BalancerMoves, TheProcessesAreCountedNoMoreThanTenTimesASecondWhoeverAsks) {
    one_.machine.tasks = {{101}};
    start_all();
    ASSERT_TRUE(run_until_met());
    Balancer& balancer = *one_.daemon->balancer();
    const unsigned before = one_.machine.looks;
    for (pid_t pid = 1; pid <= 50; pid++) {
        balancer.reconsider(pid, Clock::now());
    }
    EXPECT_LE(one_.machine.looks, before + 1);
    EXPECT_TRUE(run_until([&] { return !balancer.undecided(50); }));
    EXPECT_EQ(one_.agent().why(50, 0).first.reason, policy::Reason::not_seen);
}

TEST_F(BalancerMoves, WhatTheKernelSaysToAMoveIsPassedOn) {
    start_all();
    listen();
    ASSERT_TRUE(run_until_met());
    if (::getuid() != 0) {
        GTEST_SKIP() << "only root may ask for a process of the tests' own";
    }
    one_.machine.tasks = {{101, 0, true}, {102}};
    one_.machine.move_error = EBUSY;
    const auto busy = ask("balance 102");
    EXPECT_EQ(busy["ok"], false);
    EXPECT_NE(busy.value("text", "").find("EBUSY"), std::string::npos) << busy;
}

TEST_F(BalancerMoves, WithoutALinkNobodyIsToldThatAProcessGoes) {
    start_all();
    listen();
    ASSERT_TRUE(run_until_met());
    if (::getuid() != 0) {
        GTEST_SKIP() << "only root may ask for a process of the tests' own";
    }
    one_.machine.tasks = {{101, 0, true}, {102}};
    one_.machine.move_error = EAGAIN;
    Question question(*service_, path_, "balance 102");
    ASSERT_TRUE(run_until([&] { return question.answered() || one_.agent().promised(102); }));
    bool early = false;
    const Instant end = Clock::now() + std::chrono::milliseconds(300);
    ASSERT_TRUE(run_until([&] {
        early = early || question.answered();
        return early || Clock::now() >= end;
    }));
    EXPECT_FALSE(early);
    one_.machine.move_error = 0;
    ASSERT_TRUE(run_until([&] { return question.answered(); }));
    EXPECT_EQ(question.answer()["ok"], true);
    // And if there never is one.
    two_.machine.tasks.clear();
    three_.machine.tasks.clear();
    one_.machine.tasks = {{101, 0, true}, {103}};
    one_.machine.move_error = EAGAIN;
    const auto none = ask("balance 103");
    EXPECT_EQ(none["ok"], false);
    EXPECT_NE(none.value("text", "").find("EAGAIN"), std::string::npos) << none;
}

}  // namespace
}  // namespace mosrig
