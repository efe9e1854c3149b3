// SPDX-License-Identifier: GPL-2.0-only
// The files of /proc/hpc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/map.h"
#include "common/places.h"

namespace mosrig {

// Bits of /proc/hpc/nodes/ID/status.
inline constexpr long status_configured = 1;
inline constexpr long status_up = 2;
inline constexpr long status_block = 4;
inline constexpr long status_stay = 8;
inline constexpr long status_quiet = 16;

// Seconds that statistics may be kept for: what the kernel takes at most (OM_MAX_DECAY).
inline constexpr unsigned longest_decay = 86400;

// What a file of /proc/hpc/nodes/ID holds; if negative, the negated errno that says why not.
struct NodeFigures {
    std::uint32_t id = 0;
    long cpus = 0;
    long load = 0;   // 100: one runnable process a CPU of a node of standard speed
    long speed = 0;  // 10000: a Pentium III at 1 GHz
    long util = 0;   // percent
    long mem = 0;    // pages, as are the next two: free as openMosix counts it
    long rmem = 0;   // free as Linux counts it
    long tmem = 0;   // all
    long status = 0;

    [[nodiscard]] bool up() const { return status > 0 && (status & status_up) != 0; }
};

// "up, takes no guests, quiet", "down", "not configured".
std::string status_words(long status);

class Hpc {
  public:
    explicit Hpc(Places places) : places_(std::move(places)) {}

    [[nodiscard]] const Places& places() const { return places_; }
    // Text of /proc/hpc/admin/NAME.
    [[nodiscard]] Result<std::string> admin(const std::string& name) const;
    // The number in /proc/hpc/admin/NAME.
    [[nodiscard]] Result<long> admin_number(const std::string& name) const;
    [[nodiscard]] Result<void> set_admin(const std::string& name, const std::string& text) const;
    // This node's id; 0 if it is not configured.
    [[nodiscard]] std::uint32_t self() const;
    // Ids of all configured nodes, ascending.
    [[nodiscard]] std::vector<std::uint32_t> nodes() const;
    [[nodiscard]] NodeFigures figures(std::uint32_t id) const;
    // The configured nodes with the names that map and hosts file have for them.
    [[nodiscard]] Result<std::vector<MapNode>> config() const;
    // Counters of /proc/hpc/stats.
    [[nodiscard]] std::map<std::string, std::string> stats() const;
    // Guests: pid here, and the node that they come from.
    [[nodiscard]] std::map<int, long> guests() const;

  private:
    Places places_;
};

// A range of the map: nodes from `id` on, at `address` and those after it.
struct NodeRange {
    std::uint32_t id;
    std::uint32_t address;
    std::uint32_t count;
};

// The nodes as few ranges, ascending by id.
std::vector<NodeRange> ranges_of(std::vector<MapNode> nodes);

// The node that a person means: its id, name or address. Errors name the word.
Result<MapNode> node_meant(std::string_view word, const Hpc& hpc);

}  // namespace mosrig
