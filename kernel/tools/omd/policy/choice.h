// SPDX-License-Identifier: GPL-2.0-only
// The decision: which processes should go where, and why the others stay.
#pragma once

#include <random>
#include <unordered_map>
#include <vector>

#include "omd/policy/cost.h"
#include "omd/policy/load.h"
#include "omd/policy/types.h"

namespace mosrig::policy {

// A node that a process could go to.
struct Target {
    NodeId id = 0;
    std::uint32_t cpus = 1;
    std::uint32_t speed = standard_speed;
    double runnable = 0;  // with what is on its way there
    Pages mem = 0;
    Pages tmem = 0;
    Millis age = 0;  // of this knowledge
};

// A process that could go.
struct Candidate {
    ProcessView view;
    double use = 1;        // decayed, see decay.h
    bool settled = true;   // long enough here since it moved
    bool refused = false;  // its last request was; tells the reason only
    bool asked = false;    // somebody asks for it to be considered now: no hysteresis, any gain
    double sure = 1;       // its part of the situation's runnable; its view has what is possible
    bool held = false;     // a guest: its home did not let it go a while ago
    std::vector<NodeId> refused_by;  // in this period: they would do so again
};

// Memory that must become free before the node swaps, and who could help.
struct Shortage {
    Pages wanted = 0;
    Pages spare_swap = 0;  // for the copies of own processes that leave

    // What becomes free if it leaves. A guest leaves nothing behind; of an own process a copy
    // stays, which swap has to take: if that takes less than half, nothing is gained.
    [[nodiscard]] Pages freed_by(const ProcessView& view) const;
    // It leaves.
    void without(const ProcessView& view);
};

// What is to be thought over.
struct Situation {
    NodeLoad self;          // runnable: what is sure, without what is on its way out
    double own_demand = 0;  // runnable processes of this node's own users
    // Runnable processes per CPU of this node's speed, in the whole cluster as far as it is known.
    // A node that would be above it takes nothing: who comes would soon have to go on. 0: unknown.
    double average = 0;
    Shortage memory;
    bool alone = false;
};

// The outcome for one process, with its figures.
struct Verdict {
    Reason reason = Reason::not_seen;
    NodeId best = 0;  // 0: there is no other node to speak of
    double here_load = 0;
    double best_load = 0;
    double gain_ms = 0;
    double cost_ms = 0;
};

struct Plan {
    TaskId id = 0;
    NodeId target = 0;
    NodeId home = 0;  // of the process; 0: this node
    bool to_home = false;
    double demand = 1;
    double rate = 0;  // share of a CPU that it has here, as Message::rate wants it
    Pages pages = 0;
    bool urgent = false;
    bool eviction = false;
};

class Choice {
  public:
    struct Limits {
        std::size_t moves = 16;   // of one decision
        double hysteresis = 0.5;  // processes that the other node must be ahead by, beyond the move
        double smallest_gain = 1.02;  // factor in speed
        double worth = 1.0;           // expected gain over cost
        double hardly = 0.2;          // demand of a process that is not worth a thought
    };

    Choice(Situation situation, std::vector<Target> targets, const MoveCost& cost, Limits limits,
           std::mt19937_64& random);

    // Processes to be moved, most profitable first. Fills in a verdict for each candidate; one
    // that is planned to move has Reason::moved.
    std::vector<Plan> plan(const std::vector<Candidate>& candidates,
                           std::unordered_map<TaskId, Verdict>& verdicts);

  private:
    struct Offer {
        Target* target = nullptr;
        double rate = 0;   // of this node's CPUs, as much as it is worth to the process
        double bonus = 1;  // in that, for what its system calls gain or lose
    };
    struct Value {
        double gain = 0;  // ms
        double cost = 0;  // ms
        double factor = 0;
        [[nodiscard]] double net() const { return gain - cost; }
    };

    [[nodiscard]] Reason obstacle(const Candidate& candidate) const;
    [[nodiscard]] static double bonus_at(const Target& target, const ProcessView& view);
    [[nodiscard]] double rate_at(const Target& target, const ProcessView& view) const;
    [[nodiscard]] bool has_room(const Target& target, const ProcessView& view) const;
    [[nodiscard]] bool below_average(const Target& target, double demand) const;
    [[nodiscard]] bool above_average(double sure) const;
    [[nodiscard]] double rate_here(const Candidate& candidate) const;
    // `above`: also nodes that would be above the average with it.
    Offer best_offer(const Candidate& candidate, bool above = false);
    [[nodiscard]] Value value(const Candidate& candidate, double there) const;
    [[nodiscard]] bool pays(const Candidate& candidate, const Value& value) const;
    [[nodiscard]] bool evictable(const Candidate& candidate) const;
    Plan take(const Candidate& candidate, const Offer& offer);
    [[nodiscard]] bool makes_room(const Candidate& candidate, Reason obstacle) const;
    void usher(std::vector<const Candidate*>& open, std::vector<const Candidate*>& resting,
               std::vector<Plan>& plans, std::unordered_map<TaskId, Verdict>& verdicts);
    void evict(std::vector<const Candidate*>& open, std::vector<Plan>& plans,
               std::unordered_map<TaskId, Verdict>& verdicts);
    [[nodiscard]] Verdict verdict(const Candidate& candidate, const Offer& offer) const;

    Situation situation_;
    std::vector<Target> targets_;
    std::vector<Target*> fitting_;  // of them, for one process
    const MoveCost& cost_;
    Limits limits_;
    std::mt19937_64& random_;
    double fastest_ = 1;  // speed ratio of the fastest target
};

}  // namespace mosrig::policy
