// SPDX-License-Identifier: MIT
// What is simulated: a cluster, its jobs and its misfortunes. All random choices come from one
// seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mosrig::simulate {

enum class Policy : std::uint8_t {
    ours,   // the daemon's own
    none,   // nothing moves
    naive,  // one process a period to the least loaded node known: no promise, no hysteresis
};

struct Scenario {
    std::uint32_t nodes = 100;
    std::uint32_t jobs = 100;
    Policy policy = Policy::ours;
    std::uint64_t seed = 1;

    std::string place = "random";  // where jobs start: one (node), few (a tenth), random
    std::string sizes = "equal";   // equal, or pareto (heavy tail, as lives of processes)
    double work_s = 0;             // CPU seconds of a job at speed 1, the mean; 0: endless
    double arrive_s = 0;           // all jobs start within this time

    bool mixed = false;       // nodes of 1, 2 and 4 CPUs and of speed 0.5, 1 and 2
    double speed_noise = 0;   // relative error of measured speeds, up to
    double background = 0.1;  // runnable processes of the node's own, up to, at random
    std::uint32_t cpus = 1;
    double faster = 1;  // speed of all nodes but the first

    // What a look at a node gets wrong.
    double jitter = 0;  // of a process's demand so much is missed, up to; in a tenth as many of
                        // the looks it waits for its home, and nearly all is
    double guests_wait = 0;  // share of its time that a guest waits for its home and wants no CPU
    double visitors = 0;     // chance to meet a process of the node's own that is gone by the next
    double notice_ms = 0;    // until a sender learns that its process is there, up to

    double loss = 0;            // share of messages that are lost
    double delay_ms = 1;        // of a message, mean
    double churn = 0;           // crashes per node and minute; the node is back after 20 s
    double move_fixed_ms = 30;  // of a move
    double move_mb_per_s = 25;  // one node sends so much
    std::uint32_t job_mb = 4;
    bool measure = false;  // what a daemon costs: takes a little longer
    double limit_s = 0;    // end of an endless run; 0: balanced and 60 s more, 300 s at most
};

struct NodeSpec {
    std::uint32_t cpus = 1;
    double speed = 1;     // true
    double measured = 1;  // what its daemon believes
};

struct JobSpec {
    std::uint32_t home = 0;  // index of its node
    double start_ms = 0;
    double work_ms = 0;  // 0: endless
};

/// The cluster of a scenario.
std::vector<NodeSpec> make_nodes(const Scenario& scenario);
/// Its jobs.
std::vector<JobSpec> make_jobs(const Scenario& scenario);

/// "ours", "none", "naive".
const char* policy_word(Policy policy);

/// What came out of a run.
struct Outcome {
    double balanced_s = -1;  // from the last job's start until nobody gains by moving; -1: never,
                             // or not before the first job ended
    double nearly_s = -1;    // the same for 99 % of the jobs that live
    std::uint64_t moves = 0;
    std::uint64_t moves_to_balance = 0;
    std::uint64_t least_moves = 0;  // to the best placement
    std::uint64_t later_moves = 0;  // after balance, as long as no job has ended and no node failed
    std::uint64_t refused = 0;
    double watched_s = 0;   // how long later moves were looked for
    double messages = 0;    // sent, per node and second
    double loads = 0;       // of them, loads told
    double steps = 0;       // of the policy (looks, messages read, ticks), per node and second
    double remembered = 0;  // other nodes that a daemon knows in the end, which a step goes through
    double daemon_us = -1;  // CPU of this machine, of one daemon alone, per second
    double cpu_us = 0;      // of this machine, per node and simulated second: all of the simulator
    double makespan_s = -1;  // of jobs with an end; -1, as the next two, if not all have ended
    double optimum_s = -1;
    double slowdown = -1;    // mean of a job's time over its time alone on a CPU of speed 1
    std::uint64_t lost = 0;  // jobs that died with a node
    double simulated_s = 0;
    double real_s = 0;
};

/// Runs it in virtual time.
Outcome run(const Scenario& scenario);

}  // namespace mosrig::simulate
