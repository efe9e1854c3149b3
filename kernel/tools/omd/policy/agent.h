// SPDX-License-Identifier: GPL-2.0-only
// One node's part in the cluster: gossip, failure detection, decisions, promises. A state machine:
// messages, observations and time go in, messages and moves come out.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "omd/policy/choice.h"
#include "omd/policy/cost.h"
#include "omd/policy/decay.h"
#include "omd/policy/demand.h"
#include "omd/policy/ledger.h"
#include "omd/policy/members.h"
#include "omd/policy/message.h"

namespace mosrig::policy {

// A process is to be moved now; the receiver has promised to take it.
struct Move {
    TaskId id = 0;
    NodeId target = 0;
    bool to_home = false;  // the target is its home
    bool asked = false;    // by a person
};

struct Outbox {
    std::vector<std::pair<NodeId, Message>> messages;
    std::vector<Move> moves;
};

// What became of a move.
enum class Fate : std::uint8_t {
    went,
    failed,
    came_back,  // it went, and is here again already
    kept,       // a guest that its home does not let go
};

// What a node sees of itself once a period.
struct Observation {
    NodeLoad load;         // without `runnable`, which is the sum of the processes' demands and:
    double other = 0;      // runnable processes that are not listed
    Pages spare_swap = 0;  // that nobody uses, nor the copies of those who are away
    std::vector<ProcessView> processes;
};

struct AgentSettings {
    Millis period = 1000;
    unsigned fanout = 2;      // nodes asked per period
    bool balance = true;      // off: information only
    Millis residency = 5000;  // after a move; doubles with each further one
    Millis ask_again = 300;   // a request without an answer
    unsigned asks = 3;
    Millis avoid = 5000;  // a node that did not answer, or did not get what it had promised to take
    Millis stale = 15000;  // load that is older says nothing
    Millis ping_again = 500;
    Millis ping_gives_up = 2000;
    Members::Settings members;
    Ledger::Settings ledger;
    Choice::Limits limits;
};

// The same for a period that is longer than a second: what is to outlast some periods grows with
// it.
AgentSettings scaled(AgentSettings settings);

struct AgentCounters {
    std::uint64_t decisions = 0;  // times that the processes were gone through
    std::uint64_t asked = 0;      // requests to other nodes
    std::uint64_t granted = 0;    // of those
    std::uint64_t refused = 0;    // of those, or without an answer
    std::uint64_t promised = 0;   // to other nodes
    std::uint64_t declined = 0;   // to other nodes
    std::uint64_t moved = 0;
    std::uint64_t failed = 0;  // granted, but the process did not go
};

class Agent {
  public:
    // `boot`: larger than that of any earlier run on this node. `seed`: anything.
    Agent(NodeId self, std::uint64_t boot, std::uint64_t seed, AgentSettings settings);

    // All configured nodes, this one included, ascending.
    void set_roster(std::shared_ptr<const Roster> roster);
    void receive(NodeId from, const Message& message, Millis now, Outbox& out);
    // Takes the period's observation and decides.
    void observe(const Observation& observation, Millis now, Outbox& out);
    // Should the node count its processes again before receive() answers this? Who promises on
    // knowledge of a second ago is swamped when much begins at once.
    [[nodiscard]] bool wants_count(const Message& message, Millis now) const;
    // Such a count between two periods: an observation without a decision.
    void recount(const Observation& observation, Millis now);
    // When the last count is so old that another one says something new.
    [[nodiscard]] Millis count_due() const;
    // Does what is due: to be called at next() or a little later.
    void tick(Millis now, Outbox& out);
    [[nodiscard]] Millis next() const;

    // Says good-bye: this node's daemon ends.
    void leave(Millis now, Outbox& out);

    // A move of the outbox has ended. If it went, `pages` and `took_ms` teach what moves cost;
    // 0 ms: that is not known yet, see learn().
    void moved(TaskId id, Fate fate, Pages pages, Millis took_ms, Millis now, Outbox& out);
    // A move of so many pages took so long.
    void learn(Pages pages, Millis took_ms);
    // Somebody asks for this process to be considered again, now. Its verdict tells the outcome.
    void reconsider(TaskId id, Millis now, Outbox& out);

    // Why a process is where it is, and how old that knowledge is.
    [[nodiscard]] std::pair<Verdict, Millis> why(TaskId id, Millis now) const;
    [[nodiscard]] const Members& members() const { return members_; }
    [[nodiscard]] const AgentCounters& counters() const { return counters_; }
    // This node's load as it is told, promises included.
    [[nodiscard]] NodeLoad own_load() const;
    [[nodiscard]] bool under_way(TaskId id) const { return pending_.contains(id); }
    // Where a process is about to go, if that node has promised to take it.
    [[nodiscard]] std::optional<NodeId> promised(TaskId id) const;
    void set_balance(bool on) { settings_.balance = on; }
    // Is the CPU of that node another than this one's, so that no kernel moves anything between
    // the two? It is no target then.
    void set_unlike(NodeId node, bool unlike);
    [[nodiscard]] bool unlike(NodeId node) const { return unlike_.contains(node); }

  private:
    // Whether anything leaves this node by itself.
    [[nodiscard]] bool decides() const;
    struct Track {
        std::uint64_t start = 0;
        DecayedUse use;
        Demand demand;
        Millis settled_at = 0;
        Millis moved_at = 0;
        unsigned moves = 0;
        bool here = true;
        bool refused = false;
        std::vector<NodeId> refused_by;  // in this period
        Millis held_until = 0;           // its home has not let it go
        Decay decay;
        std::uint64_t cleared = 0;
        Verdict verdict;
        Millis decided = 0;
        Millis first_seen = 0;
        Millis seen = 0;
    };
    struct Pending {
        Plan plan;
        std::uint32_t number = 0;
        bool granted = false;
        bool asked_for = false;  // by a person
        Millis due = 0;
        unsigned tries = 0;
    };
    struct Probe {
        NodeId id = 0;
        std::uint32_t number = 0;
        NodeId for_whom = 0;  // 0: own
        std::uint32_t their_number = 0;
        Millis again = 0;
        Millis ends = 0;
        unsigned tries = 1;
    };

    [[nodiscard]] Stamp stamp() const { return {boot_, sequence_}; }
    Message message(Message::Kind kind, std::uint32_t number, bool gossip, Millis now);
    void take_gossip(NodeId from, const Message& message, Millis now);
    void send_ping(const Probe& probe, Millis now, Outbox& out);
    void run_probes(Millis now, Outbox& out);
    void run_requests(Millis now, Outbox& out);
    void on_ack(NodeId from, const Message& message, Millis now, Outbox& out);
    void on_answer(NodeId from, const Message& message, Millis now, Outbox& out);
    // True if the process has come from elsewhere since the last look.
    bool track(const ProcessView& view, Millis span, Millis now);
    void remember(Millis span, Millis now);
    void look_at_memory(Millis now);
    Candidate candidate(const ProcessView& view, const Track& track, double sure, bool asked,
                        Millis now) const;
    void decide(Millis now, TaskId only, Outbox& out);
    void ask(const Plan& plan, bool asked_for, Millis now, Outbox& out);
    void give_up(TaskId id, Millis now);
    [[nodiscard]] Pages memory_wanted(Millis span) const;
    [[nodiscard]] std::vector<Target> targets(Millis now) const;

    NodeId self_;
    std::uint64_t boot_;
    AgentSettings settings_;
    std::mt19937_64 random_;
    Members members_;
    Ledger ledger_;
    MoveCost cost_;
    AgentCounters counters_;
    std::uint32_t sequence_ = 1;
    std::uint32_t number_ = 0;
    Observation seen_;
    Demand other_;  // of what is not listed
    Millis observed_ = -1;
    Millis next_period_ = 0;
    Millis expected_ = 0;    // when tick() should have come
    Millis memory_at_ = -1;  // when last_mem_ was free
    Pages last_mem_ = 0;
    Shortage memory_;
    unsigned rounds_ = 0;  // decisions since the last observation
    unsigned waited_ = 0;  // periods of overload in which no node was good enough
    std::unordered_map<TaskId, Track> tracks_;
    std::unordered_map<TaskId, Pending> pending_;
    std::unordered_map<NodeId, Millis> avoid_;  // nodes that did not answer or failed, until when
    std::unordered_set<NodeId> unlike_;         // nodes with another CPU
    std::deque<Probe> probes_;
    std::vector<std::pair<NodeId, Message>> second_release_;
};

}  // namespace mosrig::policy
