// SPDX-License-Identifier: MIT
// The simulated cluster: events in virtual time, nodes that share their CPUs fairly among jobs, a
// network that loses messages, and on each node the daemon's own policy.
#pragma once

#include <memory>
#include <queue>
#include <random>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "harness/simulate/daemon.h"
#include "harness/simulate/scenario.h"

namespace mosrig::simulate {

class World {
  public:
    explicit World(const Scenario& scenario);
    /// Runs until the end.
    Outcome run();

    /// Jobs that run on a node, by its index.
    [[nodiscard]] std::size_t count(std::uint32_t node) const { return nodes_[node].jobs.size(); }

  private:
    using Index = std::uint32_t;
    struct Job {
        JobSpec spec;
        Index at = 0;
        double left_ms = 0;  // of work, at speed 1
        double used_ms = 0;  // of CPU
        double since = 0;    // there
        double ended = -1;
        bool moving = false;
        bool lost = false;
    };
    struct Node {
        NodeSpec spec;
        std::shared_ptr<Daemon> daemon;
        std::vector<Index> jobs;
        double brought_to = 0;      // its jobs' work is counted up to here
        double link_free = 0;       // its last move has left by then
        double looked = 0;          // its last observation
        std::uint64_t version = 0;  // of its set of jobs
        double tick_at = -1;
        std::uint32_t life = 0;  // number of crashes
        bool up = true;
        std::unordered_map<policy::TaskId, double> sent;  // moves under way: when they began
    };
    enum class Kind : std::uint8_t {
        message,
        tick,
        observe,
        start,
        complete,
        arrive,
        notice,
        crash,
        back,
        look
    };
    struct Event {
        double time;
        std::uint64_t order;
        Kind kind;
        Index node;
        std::uint64_t what;  // slot of a message, job, version
        bool operator<(const Event& other) const {
            return std::tie(other.time, other.order) < std::tie(time, order);
        }
    };
    struct Letter {
        policy::NodeId from = 0;
        policy::Message message;
    };

    void boot(Index node);
    [[nodiscard]] bool is_measured(Index node) const;
    /// CPU time of a daemon alone per second, in microseconds; -1: not measured.
    [[nodiscard]] double daemon_us() const;
    void push(double time, Kind kind, Index node, std::uint64_t what = 0);
    void handle(const Event& event);
    void deliver(Index from, policy::Outbox& out);
    void schedule_tick(Index node);
    void observe(Index node);
    void naive(Index node, const policy::Observation& seen);
    policy::Observation observation(Index node);
    double seen_demand(const Job& job, double looked);

    void advance(Index node);
    void changed(Index node);
    void add_job(Index node, Index job);
    void remove_job(Index node, Index job);
    void complete(Index node);
    void begin_move(Index from, Index job, Index to);
    void arrive(Index from, Index job);
    void notice(Index from, Index job);
    void crash(Index node);
    void lose(Index job);

    void look();
    [[nodiscard]] bool over() const;
    [[nodiscard]] Outcome outcome() const;
    double uniform() { return static_cast<double>(random_() >> 11U) * 0x1.0p-53; }

    Scenario scenario_;
    std::mt19937_64 random_;
    std::vector<Node> nodes_;
    std::vector<std::shared_ptr<Daemon>> measured_;
    std::vector<Job> jobs_;
    std::shared_ptr<const policy::Roster> roster_;
    std::priority_queue<Event> events_;
    std::uint64_t order_ = 0;
    double now_ = 0;  // ms
    std::vector<Letter> letters_;
    std::vector<std::uint64_t> free_letters_;

    Outcome result_;
    double last_start_ = 0;
    double balanced_at_ = -1;
    double nearly_at_ = -1;
    std::uint64_t moves_at_balance_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t told_ = 0;
    std::uint64_t steps_ = 0;  // of daemons that are no more
    std::uint64_t visitors_ = 0;
    std::uint64_t alive_ = 0;  // jobs not ended
    bool any_ended_ = false;   // jobs
    bool disturbed_ = false;   // a job ended or a node failed since balance
    double disturbed_at_ = -1;
    double last_end_ = 0;
};

}  // namespace mosrig::simulate
