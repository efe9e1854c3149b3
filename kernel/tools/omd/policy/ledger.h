// SPDX-License-Identifier: GPL-2.0-only
// The receiver's half of a move: what was promised to whom, so that nobody is swamped.
#pragma once

#include <cstdint>
#include <vector>

#include "omd/policy/message.h"
#include "omd/policy/types.h"

namespace mosrig::policy {

class Ledger {
  public:
    struct Settings {
        Millis holds = 10000;         // a promise, if nothing more is heard
        Millis settles = 1500;        // after the arrival, until it is certainly counted or gone
        std::size_t most = 32;        // promises at a time
        double memory_margin = 0.08;  // of all memory stays free
    };

    explicit Ledger(Settings settings) : settings_(settings) {}

    // May the process of `request` come to this node, whose load is `own` (without what is
    // promised)? If so it is written down. A repeated request gets the answer of the first.
    bool ask(NodeId from, const Message& request, const NodeLoad& own, Millis now);
    // It came, or will not.
    void release(NodeId from, std::uint32_t number, bool done, Millis now);
    // The node has counted its processes: those of these homes have come since the last time. Each
    // fulfils a promise for one of that home, whether or not its sender has said yet that it has
    // gone. Who comes home by itself fulfils none that was given to somebody else.
    void counted(const std::vector<NodeId>& homes, Millis now);
    void expire(Millis now);

    // Runnable processes and memory that are promised.
    [[nodiscard]] double demand() const;
    [[nodiscard]] Pages pages() const;
    [[nodiscard]] std::size_t size() const { return promises_.size(); }

  private:
    struct Promise {
        NodeId from;
        NodeId home;  // of the process
        std::uint32_t number;
        double demand;
        Pages pages;
        Millis until;
        bool arrived;
    };
    Settings settings_;
    std::vector<Promise> promises_;
};

}  // namespace mosrig::policy
