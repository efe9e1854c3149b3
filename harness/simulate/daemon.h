// SPDX-License-Identifier: MIT
// A node's daemon in the simulator: the policy's Agent. What some of them are told is written down,
// so that it can be told once more to each of them alone: only that shows what the policy costs a
// node. In the simulator itself thousands of daemons throw each other out of the CPU's caches.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "omd/policy/agent.h"

namespace mosrig::simulate {

struct DaemonSpec {
    policy::NodeId id = 0;
    std::uint64_t boot = 0;
    std::uint64_t seed = 0;
    policy::AgentSettings settings;
    std::shared_ptr<const policy::Roster> roster;
};

class Daemon {
  public:
    /// @p recorded: write down what it is told, for the first two minutes.
    Daemon(DaemonSpec spec, bool recorded);

    [[nodiscard]] const policy::Agent& agent() const { return agent_; }
    // As those of Agent.
    void receive(policy::NodeId from, const policy::Message& message, policy::Millis now,
                 policy::Outbox& out);
    void recount(const policy::Observation& seen, policy::Millis now);
    void observe(const policy::Observation& seen, policy::Millis now, policy::Outbox& out);
    void tick(policy::Millis now, policy::Outbox& out);
    void moved(policy::TaskId id, bool went, policy::Pages pages, policy::Millis took,
               policy::Millis now, policy::Outbox& out);

    /// How often it was told something.
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

    /// What it said has to be the same each time.
    struct Replay {
        double cpu_us = 0;     // of this machine
        double seconds = 0;    // of virtual time
        std::size_t said = 0;  // messages and moves
    };
    /// Tells a new daemon all that was written down. Nothing if that is nothing.
    [[nodiscard]] Replay replay() const;
    /// Of the time that is written down.
    [[nodiscard]] std::size_t said() const { return said_; }

  private:
    struct Letter {
        policy::NodeId from;
        policy::Message message;
    };
    struct Count {
        policy::Observation seen;
    };
    struct Look {
        policy::Observation seen;
    };
    struct Tick {};
    struct Moved {
        policy::TaskId id;
        bool went;
        policy::Pages pages;
        policy::Millis took;
    };
    using What = std::variant<Letter, Count, Look, Tick, Moved>;
    struct Entry {
        policy::Millis now;
        What what;
    };

    template <class Made>
    void write_down(policy::Millis now, Made make);
    void listen(const policy::Outbox& out, std::size_t before);
    static void tell(policy::Agent& agent, const Entry& entry, policy::Outbox& out);

    DaemonSpec spec_;
    policy::Agent agent_;
    bool recorded_;
    std::vector<Entry> diary_;
    std::size_t said_ = 0;
    std::uint64_t steps_ = 0;
};

/// CPU time of this process, in seconds.
double cpu_seconds();

}  // namespace mosrig::simulate
