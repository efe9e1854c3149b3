// SPDX-License-Identifier: GPL-2.0-only
// How much each process wants a CPU, from what /proc tells at two times.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "omd/policy/types.h"

namespace mosrig {

// Of /proc/PID/stat. Times in clock ticks.
struct TaskStat {
    char state = '?';
    std::int64_t parent = 0;
    bool kernel = false;  // a kernel thread
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    std::uint64_t threads = 1;
    std::uint64_t start = 0;
    std::uint64_t pages = 0;  // resident
    bool idle_class = false;  // SCHED_IDLE: it takes what nobody else wants
};

// Parses a stat line; the command's name may contain anything.
std::optional<TaskStat> parse_task_stat(const std::string& line);

// Time that the process ran or waited for a CPU, in ms, of /proc/PID/schedstat.
std::optional<double> parse_schedstat(const std::string& line);

// The decay lines of /proc/PID/migstat. `slow` and `fast`: permille, `interval`: ms.
policy::Decay parse_decay(const std::string& job, const std::string& rate, unsigned slow,
                          unsigned fast, policy::Millis interval);

// Follows one process.
class DemandCounter {
  public:
    // Share of the time since the last call that it was runnable; for the first call, of its life
    // as far as that is known: of at most `span`. CPU time comes in clock ticks, so a moment
    // after the last call its answer is given again, and the next one is about both times.
    // `cpu`: CPU time so far, ms; `wanted`: with the time that it waited for a CPU, if known.
    double count(double cpu, std::optional<double> wanted, char state, double span);

  private:
    bool known_ = false;
    double cpu_ = 0;
    std::optional<double> wanted_;
    double demand_ = 0;
    double left_over_ = 0;  // time that was too short for an answer of its own
};

}  // namespace mosrig
