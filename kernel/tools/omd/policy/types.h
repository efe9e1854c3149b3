// SPDX-License-Identifier: GPL-2.0-only
// What the balancer knows of a node and of a process. Everything in this folder is pure: no I/O,
// no clock of its own, deterministic given its inputs and a seed. The daemon and the simulator run
// the same code.
#pragma once

#include <cstdint>

namespace mosrig::policy {

using NodeId = std::uint32_t;  // 1 .. 65535
using Millis = std::int64_t;   // on a clock of the caller's that never steps back
using TaskId = std::int64_t;   // a pid on this node, or a job of the simulator
using Pages = std::uint64_t;   // of 4096 bytes

// A CPU of this speed gives a load of 100 for one runnable process.
inline constexpr std::uint32_t standard_speed = 10000;

// Of NodeLoad::flags; the kernel's OM_LOAD_*.
inline constexpr std::uint8_t flag_block = 1;  // takes no guests
inline constexpr std::uint8_t flag_stay = 2;   // nothing leaves by itself
inline constexpr std::uint8_t flag_lstay = 4;  // own processes do not leave by themselves
inline constexpr std::uint8_t flag_quiet = 8;  // takes no part in balancing

// What a node tells of itself.
struct NodeLoad {
    NodeId id = 0;
    std::uint32_t cpus = 1;
    std::uint32_t speed = standard_speed;  // of one CPU
    double runnable = 0;     // processes that use or wait for a CPU, with those that are promised
    std::uint32_t util = 0;  // busy share of its CPUs, percent
    std::uint8_t flags = 0;
    Pages mem = 0;   // that guests may have
    Pages rmem = 0;  // free as Linux counts it
    Pages tmem = 0;  // all
};

// How a process's statistics are aged, see decay.h.
struct Decay {
    enum class Job : std::uint8_t { none, cpu, io };
    Job job = Job::none;
    double keep = 0.975;  // share of the past that is kept per interval; 1 = nothing is forgotten
    Millis interval = 1000;
};

// An age above which no difference is made.
inline constexpr Millis old_age = 3'600'000;

// One process at one observation.
struct ProcessView {
    TaskId id = 0;
    std::uint64_t start = 0;  // tells a process from a later one with the same id
    NodeId home = 0;          // 0: this node
    bool away = false;        // own, but runs elsewhere: nothing below counts
    bool locked = false;      // asked not to be moved by itself
    bool can_move = true;     // nothing in cantmove
    double demand = 0;        // share of the time since the last observation that it was runnable
    Millis age = old_age;     // since it began
    double system_share = 0;  // of its CPU time, that in system calls
    Millis cpu_time = 0;      // used so far, since it exists
    Pages pages = 0;          // resident
    Decay decay;
    std::uint64_t cleared = 0;  // when it said that its past does not count; grows
};

// Why a process is where it is.
enum class Reason : std::uint8_t {
    locked,
    cant_move,
    sleeping,        // hardly uses the CPU
    too_young,       // the gain would not pay for the move: too little is expected of it yet
    balanced,        // each runnable process has a CPU
    no_better_node,  // no known node would run it faster, or keep doing so
    refused_by_node,
    just_moved,
    stay,
    lstay,
    quiet,        // the node takes no part
    balance_off,  // omd was told not to balance
    guest,        // a guest that its home does not let go on
    alone,
    moved,
    not_seen,
};

// The word of the control socket.
const char* reason_word(Reason reason);

}  // namespace mosrig::policy
