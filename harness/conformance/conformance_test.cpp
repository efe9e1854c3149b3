// SPDX-License-Identifier: MIT
//
// The descriptions and procedures, played on two pretended nodes with real programs: a good cluster
// passes, and each way to be wrong is seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "harness/conformance/bad_network.h"
#include "harness/conformance/stage.h"
#include "harness/process/fake_cluster.h"

namespace mosrig {
namespace {

Description find(const std::string& id) {
    const Result<std::vector<Description>> all = load_descriptions(MOSRIG_WORKLOADS);
    EXPECT_TRUE(all);
    const auto found =
        std::find_if(all->begin(), all->end(),
                     [&id](const Description& description) { return description.id == id; });
    EXPECT_NE(found, all->end());
    Description description = *found;
    // Two nodes on one host have no CPU time of their own to prove anything with.
    description.proofs.clear();
    return description;
}

class Played : public testing::Test {
  protected:
    CaseResult play_case(const Description& description) {
        return played([&description](Stage& stage) {
            play(stage, description);
            return Result<void>();
        });
    }
    CaseResult move_while(const std::string& event) {
        return played([&event](Stage& stage) {
            return move_while_impaired(stage, find("link-bad").runs.front(), event);
        });
    }
    CaseResult played(const std::function<Result<void>(Stage&)>& part) {
        Stage stage(
            cluster_.machines(),
            [this](std::string name, Millis nominal) {
                return Deadline(std::move(name), nominal * patience_percent_ / 100);
            },
            [](const Check&) {});
        stage.impair = impair_;
        const Result<void> result = part(stage);
        EXPECT_TRUE(result || result.error().kind == ErrorKind::aborted)
            << result.error().message();
        stage.result.verdict = stage.judge.verdict();
        stage.result.reason = stage.judge.reason();
        stage.result.evidence = stage.judge.checks();
        return stage.result;
    }
    // The fake's moswhy knows the words of the kernel and no details.
    CaseResult play_case(const std::string& id) { return play_case(find(id), {}); }
    CaseResult play_case(Description description, const std::vector<std::string>& moswhy) {
        for (mosrig::Run& run : description.runs) {
            for (Phase& phase : run.phases) {
                phase.moswhy = phase.moswhy.empty() ? phase.moswhy : moswhy;
            }
        }
        return play_case(description);
    }

    FakeCluster cluster_{MOSRIG_GUEST_WORKLOADS};
    int patience_percent_ = 400;
    std::function<Result<fabric::SwitchState>(const fabric::Impairment&)> impair_;
};

class Good : public Played, public testing::WithParamInterface<const char*> {};

TEST_P(Good, Passes) {
    const CaseResult result = play_case(GetParam());
    EXPECT_EQ(result.verdict, Verdict::pass) << result.reason;
    EXPECT_TRUE(result.lock.has_value());
    EXPECT_TRUE(result.where.has_value());
}

INSTANTIATE_TEST_SUITE_P(Cases, Good,
                         testing::Values("busy", "shmget-only", "shm-attached", "shm-rdonly",
                                         "pthreads-howto", "pthreads-long", "shm-howto", "mlock",
                                         "lock-mosrun-h", "lock-fork", "lock-exec", "ten-moves",
                                         "kill-away"),
                         [](const auto& param) {
                             std::string name = param.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST_F(Played, WhatTheReportShowsIsThere) {
    const CaseResult moved = play_case("busy");
    EXPECT_EQ(moved.seen, Answer::moves);
    EXPECT_EQ(moved.where, 2);
    EXPECT_EQ(moved.freeze_ns, 3);
    EXPECT_EQ(moved.total_ns, 9);
    const CaseResult stayed = play_case("shm-attached");
    EXPECT_EQ(stayed.seen, Answer::refused);
    EXPECT_EQ(stayed.errno_name, "EBUSY");
    EXPECT_EQ(stayed.cantmove, std::vector<std::string>{"monkey"});
    EXPECT_EQ(stayed.where, 0);
}

TEST_F(Played, AnExplanationWithoutTheDetailsFails) {
    const CaseResult bare = play_case(find("shm-attached"));
    EXPECT_EQ(bare.verdict, Verdict::fail);
    EXPECT_NE(bare.reason.find("moswhy says 'System V"), std::string::npos) << bare.reason;
    EXPECT_EQ(play_case(find("shm-attached"), {"^\\(monkey\\)$"}).verdict, Verdict::pass);
    // The child's number, and its parent's, of which the fake says nothing.
    EXPECT_EQ(play_case(find("lock-fork"), {"PARENT"}).verdict, Verdict::fail);
}

TEST_F(Played, AChildWithoutItsParentsLockFails) {
    cluster_.faults.lock_not_inherited = true;
    const CaseResult result = play_case("lock-fork");
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_EQ(result.reason, "not so: lock is 1 (0)");
    EXPECT_EQ(play_case("lock-mosrun-h").verdict, Verdict::pass) << "only lock-fork is to fail";
    EXPECT_EQ(play_case("lock-exec").verdict, Verdict::pass);
}

TEST_F(Played, AMoveThatShouldHaveBeenRefusedFails) {
    cluster_.faults.moves_whatever_holds_it = true;
    const CaseResult result = play_case("shm-attached");
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_EQ(result.seen, Answer::moves);
}

TEST_F(Played, OneThatGetsAReasonAwayAndStaysThereFails) {
    cluster_.faults.stays_away_whatever_comes = true;
    const CaseResult result = play_case("mlock");
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_NE(result.reason.find("it came home by itself"), std::string::npos) << result.reason;
}

TEST_F(Played, TwoLiveCopiesFail) {
    cluster_.faults.two_bodies = true;
    patience_percent_ = 5;
    EXPECT_EQ(play_case("shmget-only").verdict, Verdict::fail);
}

TEST_F(Played, AMoveThatNeverArrivesIsATimeout) {
    cluster_.faults.never_arrives = true;
    patience_percent_ = 5;
    EXPECT_EQ(play_case("shmget-only").verdict, Verdict::timeout);
}

TEST_F(Played, AwayForAnInstantOnlyIsNotAway) {
    cluster_.faults.comes_home_by_itself = true;
    EXPECT_EQ(play_case("shmget-only").verdict, Verdict::fail);
}

TEST_F(Played, ABodyThatOutlivesItsHomeIsSeen) {
    cluster_.faults.body_survives_kill = true;
    patience_percent_ = 20;
    const Verdict verdict = play_case("kill-away").verdict;
    EXPECT_TRUE(verdict == Verdict::timeout || verdict == Verdict::fail) << to_string(verdict);
}

TEST_F(Played, AProgramThatCannotRunHereIsNoPass) {
    Description description = find("mlock");
    description.runs.front().command = {"no-such-workload"};
    EXPECT_EQ(play_case(description).verdict, Verdict::infra);
}

TEST_F(Played, AProgramThatEndsByItselfHasFailed) {
    Description description = find("mlock");
    description.runs.front().command = {"sh", "-c", "echo READY; read word; exit 3"};
    EXPECT_EQ(play_case(description).verdict, Verdict::fail);
    description.runs.front().command = {"sh", "-c", "echo BAD nothing to hold; exit 1"};
    EXPECT_EQ(play_case(description).verdict, Verdict::fail);
}

// Loses a frame with each question while it is told to lose any.
std::function<Result<fabric::SwitchState>(const fabric::Impairment&)> pretended_network(
    std::uint64_t lost_each) {
    auto now = std::make_shared<fabric::SwitchState>();
    return [now, lost_each](const fabric::Impairment& order) -> Result<fabric::SwitchState> {
        now->counters.lost += now->impairment.loss_permille > 0 ? lost_each : 0;
        now->impairment = order;
        return *now;
    };
}

TEST_F(Played, ALossyNetworkHasToLose) {
    const Description description = find("link-bad");
    EXPECT_EQ(play_case(description).verdict, Verdict::skip) << "there is no network to be bad";
    impair_ = pretended_network(7);
    const CaseResult lossy = move_while("lossy");
    EXPECT_EQ(lossy.verdict, Verdict::pass) << lossy.reason;
    impair_ = pretended_network(0);
    EXPECT_EQ(move_while("lossy").verdict, Verdict::fail);
}

TEST_F(Played, AMoveThatIsFasterThanTheNetworkFails) {
    impair_ = pretended_network(0);
    const CaseResult result = move_while("delayed");
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_NE(result.reason.find("two ways at least"), std::string::npos) << result.reason;
}

TEST_F(Played, WhatIsStatedOfAStartIsLookedAt) {
    const auto start_of = [this](const mosrig::Run& run) {
        return played([&run](Stage& stage) { return expect_as_stated(stage, run); });
    };
    mosrig::Run run = find("link-bad").runs.front();
    const CaseResult good = start_of(run);
    EXPECT_EQ(good.verdict, Verdict::pass) << good.reason;
    EXPECT_EQ(good.lock, 0) << "the report has it";
    run.phases.front().lock = 1;
    EXPECT_EQ(start_of(run).reason, "not so: lock is 1 (0)");
    run.phases.front().lock = 0;
    run.phases.front().cantmove = {"monkey"};
    EXPECT_EQ(start_of(run).verdict, Verdict::fail);
}

TEST_F(Played, WrongExpectationsFail) {
    Description description = find("mlock");
    description.runs.front().phases.front().cantmove = {"monkey"};
    EXPECT_EQ(play_case(description).verdict, Verdict::fail);
    description = find("mlock");
    description.runs.front().phases.at(2).errno_name = "EPERM";
    EXPECT_EQ(play_case(description).verdict, Verdict::fail);
}

}  // namespace
}  // namespace mosrig
