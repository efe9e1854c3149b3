// SPDX-License-Identifier: MIT
// What /proc tells of a process and of a node, parsed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/process/machine.h"

namespace mosrig {

// A line of /proc/PID/stat.
struct TaskStat {
    std::int64_t pid = 0;
    std::string comm;
    char state = '?';
    std::int64_t ppid = 0;
    std::int64_t utime = 0;  // ticks of 10 ms
    std::int64_t stime = 0;
    bool in_front = false;  // its group is the one that its terminal listens to

    [[nodiscard]] std::int64_t cpu_ticks() const { return utime + stime; }
};
Result<TaskStat> parse_stat(std::string_view line);

// /proc/PID/migstat: names and values as they stand there.
struct Migstat {
    std::map<std::string, std::string> values;

    // A value as it stands there; "?" if the name is missing.
    [[nodiscard]] std::string text(const std::string& name) const;
    // A value as a number; nullopt if the name is missing or no number.
    [[nodiscard]] std::optional<std::int64_t> number(const std::string& name) const;
    // Freeze as interfaces.md defines it: resumed minus frozen. nullopt if one is not there yet.
    [[nodiscard]] std::optional<std::int64_t> freeze_ns() const;
    // released minus requested.
    [[nodiscard]] std::optional<std::int64_t> total_ns() const;
};
Migstat parse_migstat(std::string_view text);

// One process, read in one go.
struct ProcessState {
    int lock = 0;
    std::vector<std::string> cantmove;
    int where = 0;
    int pending = 0;  // goto
    std::int64_t nmigs = 0;
    Migstat migstat;
    TaskStat stat;
    std::string uids;  // the line of /proc/PID/status

    // errno of the last request; 0 if it did not fail.
    [[nodiscard]] int error() const {
        return static_cast<int>(migstat.number("errno").value_or(0));
    }
};
// An error with ESRCH if there is no such process.
Result<ProcessState> read_process(Machine& machine, std::int64_t pid, const Deadline& deadline);

// Every process of a node.
Result<std::vector<TaskStat>> list_tasks(Machine& machine, const Deadline& deadline);

// The comm of the body of home process `pid`.
std::string body_name(std::int64_t pid);

// CPU time a node spent in user mode, in any mode and idle together, and its clock: all in ticks of
// 10 ms. A node whose host starves it counts fewer ticks than its clock shows.
struct NodeTime {
    std::int64_t user = 0;
    std::int64_t counted = 0;
    std::int64_t up = 0;
};
Result<NodeTime> read_node_time(Machine& machine, const Deadline& deadline);

// CPU time in ns that a task has used on this node, as the scheduler counts it
// (/proc/PID/schedstat, else its ticks), without what its body used elsewhere.
Result<std::int64_t> read_exec_ns(Machine& machine, std::int64_t pid, const Deadline& deadline);

// "monkey clone_vm" or "(none)", for a reader.
std::string join_words(const std::vector<std::string>& words);

}  // namespace mosrig
