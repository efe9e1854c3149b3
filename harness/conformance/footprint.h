// SPDX-License-Identifier: MIT
// What a node has of memory, slab, sockets and processes, so that what a case leaves behind is
// seen.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "harness/conformance/stage.h"

namespace mosrig {

struct Footprint {
    std::int64_t free_kib = 0;
    std::int64_t slab_kib = 0;
    std::int64_t sockets = 0;
    std::map<std::string, int> processes;  // name, and how many of it: stubs and bodies, too
    std::map<std::string, std::int64_t> caches_kib;  // of slab, by name
    std::map<std::string, std::int64_t> objects;     // that each of these caches has given out
    // Of what moves are made of, as /proc/hpc/stats counts it: links, bodies, states of processes.
    std::map<std::string, std::int64_t> held;
    // The kernel's checkers hold back what was freed, to see who uses it still.
    bool holds_back = false;
    // How it balanced memory between its zones before the first look, as its file says; empty if it
    // has none. Until the last look it does not.
    std::string balancing;

    [[nodiscard]] std::int64_t count_processes() const;

    // Of a cache that the look before found with fewer objects: so many. What a CPU keeps at hand
    // counts as given out at one look and not at the next; what is lost does so at each. Whether
    // the two looks are of one state: else nothing is kept, for with a process its objects come.
    bool keep_fewest(const Footprint& earlier);
};

// The files that a footprint is made of.
struct FootprintFiles {
    std::string memory;   // /proc/meminfo
    std::string sockets;  // /proc/net/sockstat
    std::string zones;    // /proc/zoneinfo
    std::string slabs;    // /proc/slabinfo, its 2.1, up to the size
    std::string moves;    // /proc/hpc/stats
};

Footprint parse_footprint(const FootprintFiles& files, const std::vector<TaskStat>& tasks);

// By how much the caches of a kernel breathe.
struct Slack {
    std::int64_t memory_kib = 2048;
    std::int64_t slab_kib = 256;
    // So many objects more of a cache, however small they are, are one lost at each turn of what
    // the case does over and over. Only who has counted its turns has such a rule.
    std::int64_t objects = std::numeric_limits<std::int64_t>::max();
};

// For a case that takes something from under a process so many times: one object lost each time is
// a leak, and where it does so a few times only, more than two looks at an idle node differ by.
Slack slack_for_failures(int failures);

// For one that moves so many processes out and home so many times. What is lost adds up to more,
// were it a page or a KiB of slab for each process of many, or for each move of a few. Nor may it
// be any object, however small: of many processes one for each, of a few one at every second move.
Slack slack_for_moves(int copies, int times);

// What a node has more of than before, and must not, in words; empty if there is nothing such. Of a
// kernel that holds back what was freed, the slack is wider.
std::string leaks(const Footprint& before, const Footprint& now, const Slack& slack);

// By the name of the node.
using Footprints = std::map<std::string, Footprint>;

// All nodes as they are once links and processes have stopped coming and going. To be called after
// the case has done twice what it does, for what a first time leaves in every cache of a kernel.
Result<Footprints> take_footprints(Stage& stage);

// Waits until each of `machines` has no more than before, and records whether that came true.
Result<void> expect_nothing_left(Stage& stage, const Footprints& before, const Machines& machines,
                                 const Slack& slack = {});

}  // namespace mosrig
