// SPDX-License-Identifier: GPL-2.0-only
// Runs the policy: gives it time, observations and messages, and carries out its moves.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "omd/cluster.h"
#include "omd/device.h"
#include "omd/gossip.h"
#include "omd/machine.h"
#include "omd/policy/agent.h"

namespace mosrig {

class Balancer {
  public:
    struct Settings {
        policy::AgentSettings agent;
        bool announce = false;  // tell a group of this node now and then
    };

    // `socket`, `group`: see Gossip. `announced`: called with nodes that made themselves known.
    Balancer(Cluster& cluster, KernelDevice& device, Machine& machine, Settings settings, Fd socket,
             Fd group, decltype(Gossip::Events::announced) announced);

    Result<void> start();
    void peers_changed();
    // Does what is due.
    void run(Instant now);
    [[nodiscard]] Instant next() const;
    // Tells the others that this daemon ends.
    void leave();

    void set_unlike(std::uint32_t node, bool unlike) { agent_.set_unlike(node, unlike); }
    void set_balance(bool on) { agent_.set_balance(on && able_); }
    // Somebody wants this process to be considered again: now, or when the node's processes have
    // been counted, which is not done more often than ten times a second.
    void reconsider(pid_t pid, Instant now);
    // Is that still to be done?
    [[nodiscard]] bool undecided(pid_t pid) const { return questions_.contains(pid); }
    // Has the kernel taken the request to move it?
    [[nodiscard]] bool asked(pid_t pid) const;
    // Why the kernel has not taken the last one: an errno, or 0.
    [[nodiscard]] int refusal(pid_t pid) const;
    [[nodiscard]] const policy::Agent& agent() const { return agent_; }
    [[nodiscard]] policy::Millis now_ms() const { return ms(Clock::now()); }
    [[nodiscard]] bool able() const { return able_; }

  private:
    struct Journey {
        std::uint32_t target = 0;
        bool to_home = false;
        bool asked = false;  // the kernel took the request
        Instant look{};
        Instant deadline{};
    };
    // Pages that follow a process which has gone.
    struct Push {
        std::uint32_t target = 0;
        Instant look{};
        Instant deadline{};
    };
    struct Refusal {
        int code = 0;
        Instant at{};
    };

    [[nodiscard]] static policy::Millis ms(Instant now);
    [[nodiscard]] static Instant instant(policy::Millis time);
    void on_message(std::uint32_t from, const policy::Message& message);
    void observe(Instant now);
    void carry_out(policy::Outbox& out, Instant now);
    void begin(pid_t pid, Journey& journey, Instant now);
    void watch_journeys(Instant now);
    void watch_pushes(Instant now);
    void end(pid_t pid, const Machine::Journey& result, policy::Fate fate, Instant now);
    void answer_questions(Instant now);
    // Of those whose processes have just been counted.
    void answer_counted(Instant now);
    void tell_kernel();

    Cluster& cluster_;
    KernelDevice& device_;
    Machine& machine_;
    Settings settings_;
    policy::Agent agent_;
    Gossip gossip_;
    bool able_ = false;        // the kernel can balance
    bool loads_taken_ = true;  // it takes loads, or has not refused yet
    Instant observed_{};
    Instant announced_{};
    std::unordered_map<pid_t, Journey> journeys_;
    std::unordered_map<pid_t, Push> pushes_;
    std::unordered_map<pid_t, Refusal> refusals_;
    std::set<pid_t> questions_;
};

}  // namespace mosrig
