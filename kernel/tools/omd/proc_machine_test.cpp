// SPDX-License-Identifier: GPL-2.0-only
#include "omd/proc_machine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <chrono>
#include <thread>

#include "common/test_folder.h"

namespace mosrig {
namespace {

constexpr unsigned kernel_thread = 0x00200000;

class ProcMachines : public testing::Test {
  protected:
    ProcMachines() { folder_.cluster(); }

    // A task that has used so many ticks.
    void task(int pid, char state, unsigned flags, int ticks, int threads = 1) const {
        folder_.process(pid, "one", 1);
        folder_.put(fmt::format("proc/{}/stat", pid),
                    fmt::format("{} (one) {} 1 1 1 0 -1 {} 0 0 0 0 {} 0 0 0 20 0 {} 0 100 4096000 "
                                "300 0 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
                                pid, state, flags, ticks, threads));
    }
    void guest(int pid, int home) const {
        task(pid, 'R', 0, 5);
        folder_.put(fmt::format("proc/hpc/remote/{}/from", pid), fmt::format("{}\n", home));
    }
    void put(int pid, const char* name, const std::string& text) const {
        folder_.put(fmt::format("proc/{}/{}", pid, name), text);
    }
    [[nodiscard]] std::string get(int pid, const char* name) const {
        return folder_.get(fmt::format("proc/{}/{}", pid, name));
    }

    TestFolder folder_;
    ProcMachine machine_{folder_.path("proc")};
};

TEST_F(ProcMachines, WhoWantsTheCpuIsSeenAndWhoSleepsIsNot) {
    task(50, 'R', 0, 5);
    task(51, 'S', 0, 5);
    (void)machine_.observe();
    task(50, 'R', 0, 6);
    const policy::Observation seen = machine_.observe();
    ASSERT_EQ(seen.processes.size(), 1U);
    EXPECT_EQ(seen.processes[0].id, 50);
    EXPECT_TRUE(seen.processes[0].can_move);
}

TEST_F(ProcMachines, AKernelThreadIsNotReadAgainAndAgain) {
    task(50, 'R', kernel_thread, 5);
    EXPECT_TRUE(machine_.observe().processes.empty());
    task(50, 'R', 0, 6);
    EXPECT_TRUE(machine_.observe().processes.empty());
}

TEST_F(ProcMachines, CopiesOfWhoIsAwayCountAsFreeAsFarAsThereIsSwap) {
    const auto available = [this](const char* swap) {
        folder_.put("proc/meminfo", std::string("MemTotal: 4000 kB\nMemFree: 400 kB\n"
                                                "MemAvailable: 800 kB\nSwapFree: ") +
                                        swap + " kB\n");
        return machine_.observe().load.mem;
    };
    task(50, 'R', 0, 5);  // 300 pages
    EXPECT_EQ(available("4000"), 200U);
    task(50, 'R', 0, 6);
    folder_.put("proc/50/where", "2\n");
    EXPECT_EQ(available("4000"), 500U);
    EXPECT_EQ(available("400"), 300U);
    EXPECT_EQ(available("0"), 200U);
    (void)available("4000");
    EXPECT_EQ(machine_.observe().spare_swap, 700U);
    task(50, 'R', 0, 7);  // at home again
    EXPECT_EQ(available("4000"), 200U);
}

TEST_F(ProcMachines, AGuestIsNeverSentHomeByTakingARequestBack) {
    guest(50, 2);
    put(50, "goto", "untouched");
    EXPECT_FALSE(machine_.cancel(50));
    EXPECT_EQ(get(50, "goto"), "untouched");
    task(51, 'R', 0, 5);
    put(51, "goto", "3");
    EXPECT_TRUE(machine_.cancel(51));
    EXPECT_EQ(get(51, "goto"), "0");
}

TEST_F(ProcMachines, WhoWentAndIsBackHasNotFailed) {
    task(50, 'R', 0, 5);
    put(50, "nmigs", "4\n");
    ASSERT_TRUE(machine_.move(50, 2, false));
    EXPECT_EQ(get(50, "goto"), "auto 2");
    put(50, "goto", "2\n");
    EXPECT_EQ(machine_.journey(50, 2).progress, Machine::Progress::under_way);
    put(50, "goto", "0\n");
    put(50, "nmigs", "6\n");
    EXPECT_EQ(machine_.journey(50, 2).progress, Machine::Progress::returned);
    ASSERT_TRUE(machine_.move(50, 2, false));
    put(50, "goto", "0\n");
    EXPECT_EQ(machine_.journey(50, 2).progress, Machine::Progress::failed);
}

TEST_F(ProcMachines, WhatAMoveCostIsKnownWhenItsLastPageHasGone) {
    task(50, 'R', 0, 5);
    ASSERT_TRUE(machine_.move(50, 2, false));
    put(50, "goto", "0\n");
    put(50, "where", "2\n");
    put(50, "migstat", "requested_ns 1000000\nfrozen_ns 9000000\nreleased_ns 0\npages_out 10\n");
    const auto gone = machine_.journey(50, 2);
    EXPECT_EQ(gone.progress, Machine::Progress::done);
    EXPECT_TRUE(gone.follows);
    EXPECT_EQ(gone.took, 0);
    put(50, "migstat",
        "requested_ns 1000000\nfrozen_ns 9000000\nreleased_ns 2009000000\npages_out 25600\n");
    const auto all = machine_.journey(50, 2);
    EXPECT_FALSE(all.follows);
    EXPECT_EQ(all.took, 2000);
    EXPECT_EQ(all.pages, 25600U);
}

TEST_F(ProcMachines, AllThreadsOfAProcessWantTheCpu) {
    const auto threads = [&](const char* ran_and_waited) {
        for (const int thread : {50, 51, 52, 53}) {
            put(50, fmt::format("task/{}/schedstat", thread).c_str(), ran_and_waited);
        }
    };
    task(50, 'R', 0, 5, 4);
    threads("1000000 1000000 1\n");
    (void)machine_.observe();
    const auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    task(50, 'R', 0, 15, 4);
    // Each of them ran or waited for an hour since.
    threads("1000000 3600000000000000 1\n");
    const policy::Observation seen = machine_.observe();
    ASSERT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100));
    ASSERT_EQ(seen.processes.size(), 1U);
    EXPECT_DOUBLE_EQ(seen.processes[0].demand, 4) << "as many as it has threads, at the most";
}

TEST_F(ProcMachines, SaysWhenAProcessHasClearedItsPast) {
    task(50, 'R', 0, 5);
    put(50, "migstat", "decay_job none\ndecay_rate default\ndecay_cleared_ns 12345678901\n");
    const policy::Observation seen = machine_.observe();
    ASSERT_EQ(seen.processes.size(), 1U);
    EXPECT_EQ(seen.processes[0].cleared, 12345678901U);
}

TEST_F(ProcMachines, WhileUnconfiguredNobodyIsAwayAndNobodyMayCome) {
    task(50, 'R', 0, 5);
    folder_.put("proc/hpc/admin/mospe", "0\n");
    (void)machine_.observe();
    task(50, 'R', 0, 6);
    put(50, "where", "-1\n");
    const policy::Observation seen = machine_.observe();
    ASSERT_EQ(seen.processes.size(), 1U);
    EXPECT_FALSE(seen.processes[0].away);
    EXPECT_EQ(seen.load.flags, policy::flag_block | policy::flag_stay);
}

}  // namespace
}  // namespace mosrig
