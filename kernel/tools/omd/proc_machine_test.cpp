// SPDX-License-Identifier: GPL-2.0-only
#include "omd/proc_machine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/test_folder.h"

namespace mosrig {
namespace {

constexpr unsigned kKernelThread = 0x00200000;

class ProcMachines : public testing::Test {
  protected:
    ProcMachines() { folder_.cluster(); }

    // A task that has used so many ticks.
    void task(int pid, char state, unsigned flags, int ticks) const {
        folder_.process(pid, "one", 1);
        folder_.put(fmt::format("proc/{}/stat", pid),
                    fmt::format("{} (one) {} 1 1 1 0 -1 {} 0 0 0 0 {} 0 0 0 20 0 1 0 100 4096000 "
                                "300 0 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
                                pid, state, flags, ticks));
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
    task(50, 'R', kKernelThread, 5);
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
    task(50, 'R', 0, 7);  // at home again
    EXPECT_EQ(available("4000"), 200U);
}

TEST_F(ProcMachines, WhileUnconfiguredNobodyIsAwayAndNobodyMayCome) {
    task(50, 'R', 0, 5);
    folder_.put("proc/50/where", "-1\n");
    folder_.put("proc/hpc/admin/mospe", "0\n");
    (void)machine_.observe();
    task(50, 'R', 0, 6);
    const policy::Observation seen = machine_.observe();
    ASSERT_EQ(seen.processes.size(), 1U);
    EXPECT_FALSE(seen.processes[0].away);
    EXPECT_EQ(seen.load.flags, policy::kBlock | policy::kStay);
}

}  // namespace
}  // namespace mosrig
