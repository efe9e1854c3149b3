// SPDX-License-Identifier: GPL-2.0-only
// The node as /proc shows it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "omd/counting.h"
#include "omd/machine.h"

namespace mosrig {

// What a node's administrator has set in /proc/hpc/admin.
struct AdminSettings {
    std::uint8_t flags = 0;   // policy::flag_block ...
    std::uint32_t speed = 0;  // 0: not measured
    unsigned slow = 975;
    unsigned fast = 926;
    policy::Millis interval = 1000;
};

class ProcMachine final : public Machine {
  public:
    // `proc`: the mounted file system.
    explicit ProcMachine(std::string proc = "/proc");

    Result<void> ready() override;
    policy::Observation observe() override;
    Result<void> move(pid_t pid, std::uint32_t target, bool to_home) override;
    bool cancel(pid_t pid) override;
    Journey journey(pid_t pid, std::uint32_t target) override;
    bool may_move(pid_t pid, uid_t user) override;

    [[nodiscard]] AdminSettings admin() const;
    Result<void> set_speed(std::uint32_t speed);

  private:
    struct Followed {
        std::uint64_t start = 0;
        DemandCounter counter;
        double cpu = -1;
        policy::Pages pages = 0;  // resident, if it is away
        bool away = false;
        bool seen = false;
    };

    void count_node(policy::Observation& seen);
    void count_task(pid_t pid, double span, const std::map<pid_t, std::uint32_t>& guests,
                    policy::Observation& seen);
    policy::ProcessView view_of(pid_t pid, const TaskStat& stat) const;
    [[nodiscard]] std::optional<double> wanted(pid_t pid, const TaskStat& stat) const;
    [[nodiscard]] std::map<pid_t, std::uint32_t> guests() const;
    [[nodiscard]] bool is_guest(pid_t pid) const;
    [[nodiscard]] Journey cost_of_move(pid_t pid) const;
    [[nodiscard]] long number(pid_t pid, const char* name, long otherwise) const;
    [[nodiscard]] std::string file(pid_t pid, const char* name) const;
    [[nodiscard]] long admin_number(const char* name, long otherwise) const;

    std::string proc_;
    double ms_per_tick_;
    std::map<pid_t, Followed> followed_;
    std::map<pid_t, std::int64_t> kernel_;  // kernel threads, and until when nobody looks again
    std::map<pid_t, long> moves_before_;    // of who was asked to go, as it was then
    std::int64_t last_ns_ = 0;
    AdminSettings admin_;
    policy::Pages free_swap_ = 0;
    std::uint64_t busy_ = 0;  // of /proc/stat, ticks
    std::uint64_t total_ = 0;
};

// Speed of this machine's CPUs in units of policy::standard_speed, the best of several short
// measurements: whatever else runs can only make one of them slower. Takes about 0.1 s.
std::uint32_t measure_speed();

}  // namespace mosrig
