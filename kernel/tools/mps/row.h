// SPDX-License-Identifier: GPL-2.0-only
// The processes of a node with the node that each is on: what mps and mtop list.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/hpc.h"

namespace mosrig {

struct ProcessRow {
    int pid = 0;
    int parent = 0;
    unsigned uid = 0;
    std::string user;
    std::string tty;          // "pts/0", "?" without one
    std::string node;         // "0" here, "N" there, "-1" not configured; "N>": a guest from N
    std::string state;        // as ps has it: "Ss+"
    std::string name;         // fit for a terminal, as is:
    std::string command;      // with its arguments; "[name]" if it has none
    std::uint64_t ticks = 0;  // of CPU time, user and system
    std::uint64_t start = 0;  // ticks after boot
    std::uint64_t size = 0;   // bytes, as is resident
    std::uint64_t resident = 0;
};

// Parses /proc/PID/stat into everything that it holds. False if it is not understood.
bool parse_row(const std::string& stat, ProcessRow& row);

// Name of a terminal by the number in /proc/PID/stat.
std::string tty_name(unsigned number);

// All processes, ascending by pid.
std::vector<ProcessRow> read_rows(const Hpc& hpc);

// "12:34", minutes and seconds of CPU time.
std::string format_time(std::uint64_t ticks, std::uint64_t ticks_a_second);

}  // namespace mosrig
