// SPDX-License-Identifier: GPL-2.0-only
// What surrounds the daemon's work: configuration, its changes, and questions at the socket.
#pragma once

#include <sys/stat.h>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "omd/config.h"
#include "omd/control.h"
#include "omd/daemon.h"
#include "omd/machine.h"

namespace mosrig {

// Configuration, map and own address put together.
struct Setup {
    Config config;
    std::string key;
    std::uint32_t self = 0;
    std::uint32_t address = 0;
    std::string name;
    std::vector<Peer> peers;
};

class Service {
  public:
    // Where the configuration comes from.
    struct Sources {
        std::string config = default_config_path;
        bool config_must_exist = false;
        std::optional<std::uint32_t> self;
        std::optional<std::string> map;  // instead of the configuration's
        std::optional<std::string> key;
    };

    Service(Daemon& daemon, Reactor& reactor, Log& log, Sources sources, Setup setup);

    // Who decides whether a user may have a process moved; without it, nobody may.
    void set_machine(Machine& machine) { machine_ = &machine; }
    Result<void> listen(const std::string& path);
    // Reads configuration and map again. An error changes nothing and is logged.
    Result<void> reload();
    // Looks after the map and the clients; how long may pass until the next look.
    std::chrono::milliseconds run(Instant now);
    // The answer to one line; see Control::Answer.
    std::optional<std::string> answer(const std::string& line, uid_t user, bool first, bool last);

  private:
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> map_mark() const;
    std::optional<std::string> balance(pid_t pid, uid_t user, bool first, bool last);

    Daemon& daemon_;
    Log& log_;
    Sources sources_;
    Setup setup_;
    Machine* machine_ = nullptr;
    Control control_;
    std::pair<std::int64_t, std::int64_t> map_mark_;  // time and size of the map when it was read
    Instant looked_{};
};

Result<Setup> load_setup(const Service::Sources& sources);

// The sockets for datagrams: one on the node's address, one for announcements if they are on.
Result<std::pair<Fd, Fd>> open_gossip(const Setup& setup);

Daemon::Balance make_balance(const Setup& setup, Machine& machine, std::pair<Fd, Fd> sockets);

// With announcements: nodes that had announced themselves to an omd before this one, as the
// kernel's `config` tells. Removing them until they do so again would take home who is away on
// them.
std::vector<Peer> announced_before(const Setup& setup,
                                   const std::string& config = "/proc/hpc/admin/config");

// Nodes that the kernel knows already.
std::vector<std::uint32_t> kernel_nodes(const std::string& folder = "/proc/hpc/nodes");

}  // namespace mosrig
