// SPDX-License-Identifier: GPL-2.0-only
// Who belongs to the cluster, who of them lives, and how loaded they are, as far as gossip told.
//
// Failure detection after A. Das, I. Gupta, A. Motivala, "SWIM", DSN 2002: each period some random
// members are asked for a sign of life, then through others; who gives none is suspected, and only
// after a while down. Any newer word of its own clears it, wherever it comes from. The load vector
// rides on the same packets. State and work of a node do not grow with the cluster, but for the
// shared roster of ids and the exceptions from "up".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <unordered_map>
#include <vector>

#include "omd/policy/types.h"

namespace mosrig::policy {

// All configured nodes, ascending ids.
using Roster = std::vector<NodeId>;

enum class State : std::uint8_t { unknown, up, suspect, down };

const char* state_word(State state);

// A point in the life of one node: the nth word of one run of its daemon. Later runs have larger
// numbers, unless the node's clock was set back.
struct Stamp {
    std::uint64_t boot = 0;
    std::uint32_t sequence = 0;
    // What the compiler makes of it has a 0 in it.
    auto operator<=>(const Stamp&) const = default;  // NOLINT(modernize-use-nullptr)
};

// One node's load as it travels: stamped by its owner, aged by everyone on the way.
struct LoadEntry {
    NodeLoad load;
    Stamp stamp;
    Millis age = 0;
};

// News about a node's life. "up" is told only of one that was suspected.
struct Rumour {
    NodeId id = 0;
    State state = State::suspect;
    Stamp stamp;  // the last word that was known of it
};

class Members {
  public:
    struct Settings {
        Millis down_after = 9000;  // as a suspect, at least; at most a quarter more
        // Nodes whose load is remembered. More of them are older: a cluster of 300 nodes
        // balances in half the time that it takes with 512, at half the cost (mosrig simulate).
        std::size_t capacity = 64;
        std::size_t vector = 16;  // loads in a packet
        std::size_t rumours = 8;  // in a packet
        // Load that is older is not passed on: who is interested has fresher.
        Millis worth_telling = 3000;
        // An idle node does not stay one for long once others have heard of it.
        Millis still_idle = 1000;
        // A relayed word of an earlier-looking run is believed once ours is that old: the clock was
        // set back.
        Millis forget_run = 60000;
    };
    // What is known of one node.
    struct Known {
        LoadEntry entry;     // age is 0 here, see written
        Millis written = 0;  // when its owner said so, by this node's clock
        double planned = 0;  // processes on their way there that its load cannot contain yet
        Millis planned_at = 0;
    };

    Members(NodeId self, Settings settings, std::uint64_t seed);

    // Takes the list of configured nodes; who is not in it is forgotten.
    void set_roster(std::shared_ptr<const Roster> roster);
    [[nodiscard]] bool contains(NodeId id) const;

    // Nodes to be asked this period: at most `count`, each one once before any comes again,
    // in an order of this node's own.
    std::vector<NodeId> targets(std::size_t count);
    // `count` random nodes that are not known as down, without `without`.
    std::vector<NodeId> helpers(std::size_t count, NodeId without);

    // A packet came from the node itself, with this as its last word.
    void heard(NodeId id, const Stamp& stamp, Millis now);
    // It says that it ends, with this as its last word: down from now on.
    void left(NodeId id, const Stamp& stamp, Millis now);
    // It was asked, also through others, and did not answer.
    void missed(NodeId id, Millis now);
    // Takes a node's load over if it is newer than what is known. True if it was.
    bool merge(const LoadEntry& entry, Millis now);
    // `own`: what this node would say of itself, to contradict.
    void merge(const Rumour& rumour, const Stamp& own, Millis now);
    // What was suspected long enough is down from now on.
    void expire(Millis now);

    // Loads for a packet: two thirds any fresh ones, the rest the least loaded of them.
    std::vector<LoadEntry> loads_to_tell(Millis now);
    std::vector<Rumour> rumours_to_tell();

    [[nodiscard]] State state(NodeId id) const;
    // Nothing if nobody told its load yet, or it was forgotten for fresher ones.
    [[nodiscard]] const Known* load(NodeId id) const;
    [[nodiscard]] const std::vector<Known>& loads() const { return loads_; }
    // Is the owner of one of loads() anything but up?
    [[nodiscard]] bool doubted(const Known& known) const;
    // So many runnable processes will arrive there.
    void plan(NodeId id, double demand, Millis now);
    // Has anybody been heard at all?
    [[nodiscard]] bool alone() const { return loads_.empty(); }

  private:
    struct Trouble {
        State state = State::suspect;
        Millis deadline = 0;    // of a suspect
        unsigned tellings = 0;  // how often it is told yet
        Stamp stamp;            // the last word that was known
    };

    [[nodiscard]] std::optional<std::size_t> place_of(NodeId id) const;
    void forget(NodeId id);
    Known& place_for(NodeId id);
    void set(NodeId id, State state, const Stamp& stamp, Millis now);
    void clear(NodeId id, const Stamp& stamp);
    void next_walk();
    [[nodiscard]] unsigned tellings() const;
    [[nodiscard]] Stamp last_stamp(NodeId id) const;

    NodeId self_;
    Settings settings_;
    std::mt19937_64 random_;
    std::shared_ptr<const Roster> roster_ = std::make_shared<Roster>();
    std::vector<Known> loads_;
    std::vector<NodeId> ids_;                       // of loads_, in their order
    std::unordered_map<NodeId, Trouble> troubles_;  // who is suspected or down, or just was
    // The order of asking is a walk through the roster: start + k * step modulo its size.
    std::size_t walk_start_ = 0;
    std::size_t walk_step_ = 1;
    std::size_t walked_ = 0;
};

}  // namespace mosrig::policy
