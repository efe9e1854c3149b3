// SPDX-License-Identifier: GPL-2.0-only
// The node daemon: tells the kernel about the cluster and keeps its pools of links full.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/map.h"
#include "omd/acceptor.h"
#include "omd/balancer.h"
#include "omd/cluster.h"
#include "omd/device.h"
#include "omd/dialer.h"

namespace mosrig {

class Daemon {
  public:
    struct Settings {
        std::uint32_t self;
        std::uint32_t address;  // own, on the fabric; host byte order
        std::vector<Peer> peers;
        PoolPolicy::Limits limits = {};
        std::string stats_path = "";  // empty: no file
        std::string name = "";        // own
        // Nodes that the kernel knows from an earlier run: those that are no peers any more are
        // removed.
        std::vector<std::uint32_t> earlier = {};
    };
    // What it takes to talk to the other daemons and to balance.
    struct Balance {
        Machine& machine;
        Balancer::Settings settings;
        Fd socket;  // see Gossip
        Fd group;
        policy::Millis forget = 0;  // an announced node that is down for so long; 0: never
    };
    // Starts the guest's side of an authenticated link; the socket is closed here afterwards.
    using StartStub = std::function<Result<pid_t>(std::uint32_t node, int fd)>;

    Daemon(Settings settings, KernelDevice& device, const LinkKeys& keys, Fd listener,
           Reactor& reactor, Log& log, StartStub start_stub);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // Tells the kernel who we are and starts to listen. Without `balance` it keeps links only.
    Result<void> start(std::optional<Balance> balance = std::nullopt);
    // The list of the other nodes has changed: who left is removed from the kernel, who is new is
    // linked, and nothing happens to the rest.
    void set_peers(const std::vector<Peer>& peers);
    // Tells the kernel once more who we are and of the others, as far as it has forgotten it.
    Result<void> restore();
    // After so long an announced node that is down is removed; 0: never.
    void set_forget(policy::Millis after) { forget_ = after; }
    // Waits for events for at most `longest` and does what is due.
    void run_once(std::chrono::milliseconds longest);
    // To be called before the end: the others know at once, and need not find out.
    void leave();
    // So many stubs have ended.
    void on_stubs_ended(unsigned ended);
    // Writes the counters to the log and to their file.
    void show_stats();
    [[nodiscard]] const Stats& stats() const { return stats_; }
    [[nodiscard]] const Cluster& cluster() const { return cluster_; }
    // Null if started without.
    [[nodiscard]] Balancer* balancer() { return balancer_.get(); }
    // Does the kernel have the node as up?
    [[nodiscard]] bool linked(std::uint32_t id) const;

  private:
    enum class Known : std::uint8_t { nothing, down, up };
    struct Node {
        std::unique_ptr<Dialer> dialer;
        unsigned idle = 0;
        Known told = Known::nothing;  // what the kernel was told last
        om_features features{};
        std::string trouble;   // why the last connection failed; empty after one that did not
        bool reached = false;  // it failed after the peer had taken it
        Instant down_since{};
    };

    Result<void> tell_self();
    Result<void> add(const Peer& peer);
    void remove(std::uint32_t id, const char* why);
    void tell_removed(std::uint32_t id);
    Result<void> start_balancer(Balance balance);
    void on_announced(std::uint32_t id, Endpoint endpoint);
    void forget_lost(Instant now);
    void listen_to_pools();
    Result<void> configure(Node& node);
    bool on_linked(const Peer& peer, Fd socket, const om_features& features);
    void on_failed(const Peer& peer, const std::string& why, bool reached);
    void on_arrived(const Peer& peer, const Fd& socket);
    bool tell(Node& node, Known state);
    void lower_if_lost(Node& node);
    void on_forgotten(Node& node);
    [[nodiscard]] bool silent(const Node& node) const;
    [[nodiscard]] policy::State gossiped(const Node& node) const;
    [[nodiscard]] unsigned useful_links(const Node& node) const;
    void follow_gossip();
    void read_pools();
    void look_at_stats(Instant now);
    void write_stats(std::string lines);
    [[nodiscard]] std::string stats_lines() const;
    Node* node_of(std::uint32_t id);

    Settings settings_;
    KernelDevice& device_;
    Reactor& reactor_;
    Log& log_;
    StartStub start_stub_;
    Stats stats_;
    Cluster cluster_;
    std::unique_ptr<Acceptor> acceptor_;
    std::list<Node> nodes_;
    std::unique_ptr<Balancer> balancer_;
    policy::Millis forget_ = 0;
    std::uint64_t seed_ = 0;
    Fd listener_;
    bool configured_ = false;  // the kernel knows which node this is
    bool polled_ = false;      // the device tells when a pool changes
    Instant pools_read_{};
    Instant stats_looked_{};
    std::string stats_shown_;
};

}  // namespace mosrig
