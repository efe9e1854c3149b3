// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/ledger.h"

#include <algorithm>

#include "omd/policy/load.h"

namespace mosrig::policy {

bool Ledger::ask(NodeId from, const Message& request, const NodeLoad& own, Millis now) {
    expire(now);
    const auto same = std::find_if(promises_.begin(), promises_.end(), [&](const Promise& p) {
        return p.from == from && p.number == request.number;
    });
    if (same != promises_.end()) {
        return true;
    }
    if ((own.flags & flag_block) != 0 || promises_.size() >= settings_.most) {
        return false;
    }
    const auto margin = static_cast<Pages>(settings_.memory_margin * static_cast<double>(own.tmem));
    if (own.tmem > 0 && own.mem < request.pages + pages() + margin) {
        return false;
    }
    const double there = speed_ratio(request.own.load.speed, own.speed) *
                         share_of(own.cpus, own.runnable + demand() + request.demand);
    constexpr double as_fast = 0.95;
    const bool faster = request.eviction ? there >= as_fast * request.rate : there > request.rate;
    if (!request.urgent && !faster) {
        return false;
    }
    const NodeId home = request.about != 0 ? request.about : from;
    promises_.push_back(
        {from, home, request.number, request.demand, request.pages, now + settings_.holds, false});
    return true;
}

void Ledger::release(NodeId from, std::uint32_t number, bool done, Millis now) {
    for (auto place = promises_.begin(); place != promises_.end(); ++place) {
        if (place->from == from && place->number == number) {
            if (done && !place->arrived) {
                place->arrived = true;
                place->until = now + settings_.settles;
            } else if (!done) {
                promises_.erase(place);
            }
            return;
        }
    }
}

void Ledger::counted(const std::vector<NodeId>& homes, Millis now) {
    expire(now);
    for (const NodeId home : homes) {
        auto kept = promises_.end();
        for (auto place = promises_.begin(); place != promises_.end(); ++place) {
            const bool better = kept == promises_.end() || (place->arrived && !kept->arrived);
            kept = place->home == home && better ? place : kept;
        }
        if (kept != promises_.end()) {
            promises_.erase(kept);
        }
    }
}

void Ledger::expire(Millis now) {
    std::erase_if(promises_, [&](const Promise& promise) { return promise.until <= now; });
}

double Ledger::demand() const {
    double sum = 0;
    for (const Promise& promise : promises_) {
        sum += promise.demand;
    }
    return sum;
}

Pages Ledger::pages() const {
    Pages sum = 0;
    for (const Promise& promise : promises_) {
        sum += promise.arrived ? 0 : promise.pages;
    }
    return sum;
}

}  // namespace mosrig::policy
