// SPDX-License-Identifier: GPL-2.0-only
// Gossip and failure detection. The other half is in agent_moves.cpp.
#include "omd/policy/agent.h"

#include <algorithm>

#include "omd/policy/load.h"

namespace mosrig::policy {
namespace {

constexpr unsigned most_helpers = 2;     // asked to ping in this node's place
constexpr std::size_t most_probes = 32;  // at a time, most of them for others
constexpr Millis late_from = 500;        // of the own loop, from which on nobody else is blamed

// What others are told that it takes of a CPU. A guest that was busy of late and waits for its home
// computes as soon as that answers, the less often beside others: if it counted for the rest only,
// its home would send another one after it.
double wanted_by(const ProcessView& view, const Demand& demand) {
    const double wanted = demand.possible();
    return view.home != 0 && wanted >= busy_from ? 1 : wanted;
}

}  // namespace

AgentSettings scaled(AgentSettings settings) {
    constexpr double usual = 1000;
    const double factor = std::max(1.0, static_cast<double>(settings.period) / usual);
    for (Millis* time :
         {&settings.avoid, &settings.stale, &settings.members.down_after,
          &settings.members.worth_telling, &settings.members.still_idle,
          &settings.members.forget_run, &settings.ledger.holds, &settings.ledger.settles}) {
        *time = static_cast<Millis>(static_cast<double>(*time) * factor);
    }
    return settings;
}

Agent::Agent(NodeId self, std::uint64_t boot, std::uint64_t seed, AgentSettings settings)
    : self_(self),
      boot_(boot),
      settings_(scaled(settings)),
      random_(seed),
      members_(self, settings_.members, seed ^ 0x9e3779b97f4a7c15U),
      ledger_(settings_.ledger) {
    seen_.load.id = self;
}

void Agent::set_roster(std::shared_ptr<const Roster> roster) {
    members_.set_roster(std::move(roster));
    std::erase_if(probes_, [&](const Probe& probe) { return !members_.contains(probe.id); });
}

NodeLoad Agent::own_load() const {
    NodeLoad load = seen_.load;
    load.runnable = other_.sure() + ledger_.demand();
    for (const ProcessView& view : seen_.processes) {
        const auto found = pending_.find(view.id);
        const auto tracked = tracks_.find(view.id);
        if (!view.away && tracked != tracks_.end() &&
            (found == pending_.end() || !found->second.granted)) {
            load.runnable += wanted_by(view, tracked->second.demand);
        }
    }
    load.mem -= std::min(load.mem, ledger_.pages());
    return load;
}

Message Agent::message(Message::Kind kind, std::uint32_t number, bool gossip, Millis now) {
    Message made;
    made.kind = kind;
    made.number = number;
    made.own.load = own_load();
    // Its receiver must be able to tell this word from the last one.
    sequence_++;
    made.own.stamp = stamp();
    if (gossip) {
        if ((seen_.load.flags & flag_quiet) == 0) {
            made.loads = members_.loads_to_tell(now);
        }
        made.rumours = members_.rumours_to_tell();
    }
    return made;
}

void Agent::take_gossip(NodeId from, const Message& message, Millis now) {
    // Who speaks is who it says; a load "of its own" for somebody else is not.
    if (message.own.load.id == from) {
        members_.heard(from, message.own.stamp, now);
        members_.merge(message.own, now);
    }
    for (const LoadEntry& entry : message.loads) {
        members_.merge(entry, now);
    }
    for (const Rumour& rumour : message.rumours) {
        members_.merge(rumour, stamp(), now);
    }
}

void Agent::receive(NodeId from, const Message& message, Millis now, Outbox& out) {
    using Kind = Message::Kind;
    if (!members_.contains(from) || from == self_) {
        return;
    }
    take_gossip(from, message, now);
    switch (message.kind) {
        case Kind::ping:
            out.messages.emplace_back(from, this->message(Kind::ack, message.number, true, now));
            break;
        case Kind::ack:
            on_ack(from, message, now, out);
            break;
        case Kind::ask_for:
            if (members_.contains(message.about) && message.about != self_ &&
                probes_.size() < most_probes) {
                probes_.push_back({message.about, ++number_, from, message.number,
                                   now + settings_.ping_again, now + settings_.ping_gives_up});
                send_ping(probes_.back(), now, out);
            }
            break;
        case Kind::request: {
            NodeLoad own = seen_.load;
            own.runnable = own_load().runnable - ledger_.demand();
            const bool known = observed_ >= 0;
            const bool yes = known && ledger_.ask(from, message, own, now);
            // Who is refused has to look further, and gets what this node knows.
            (yes ? counters_.promised : counters_.declined)++;
            out.messages.emplace_back(
                from, this->message(yes ? Kind::grant : Kind::refuse, message.number, !yes, now));
            break;
        }
        case Kind::grant:
        case Kind::refuse:
            on_answer(from, message, now, out);
            break;
        case Kind::release:
            ledger_.release(from, message.number, message.done, now);
            break;
        case Kind::leave:
            members_.left(from, message.own.stamp, now);
            break;
    }
}

// Some hear it from here, the others from them.
void Agent::leave(Millis now, Outbox& out) {
    constexpr std::size_t most_told = 16;
    for (const NodeId id : members_.helpers(most_told, self_)) {
        out.messages.emplace_back(id, message(Message::Kind::leave, 0, false, now));
    }
}

void Agent::on_ack(NodeId from, const Message& message, Millis now, Outbox& out) {
    const NodeId alive = message.about != 0 ? message.about : from;
    const auto found = std::find_if(probes_.begin(), probes_.end(), [&](const Probe& probe) {
        return probe.number == message.number && probe.id == alive;
    });
    if (found == probes_.end()) {
        return;
    }
    if (found->for_whom != 0) {
        Message told = this->message(Message::Kind::ack, found->their_number, false, now);
        told.about = alive;
        if (message.own.load.id == alive) {
            told.loads.push_back(message.own);
        }
        out.messages.emplace_back(found->for_whom, std::move(told));
    }
    probes_.erase(found);
}

void Agent::send_ping(const Probe& probe, Millis now, Outbox& out) {
    out.messages.emplace_back(probe.id,
                              message(Message::Kind::ping, probe.number, probe.for_whom == 0, now));
}

void Agent::run_probes(Millis now, Outbox& out) {
    std::vector<NodeId> missed;
    for (Probe& probe : probes_) {
        if (now >= probe.ends) {
            if (probe.for_whom == 0) {
                missed.push_back(probe.id);
            }
            continue;
        }
        if (now < probe.again) {
            continue;
        }
        probe.again = now + settings_.ping_again;
        send_ping(probe, now, out);
        if (probe.for_whom == 0 && probe.tries == 1) {
            for (const NodeId helper : members_.helpers(most_helpers, probe.id)) {
                Message asked = message(Message::Kind::ask_for, probe.number, false, now);
                asked.about = probe.id;
                out.messages.emplace_back(helper, std::move(asked));
            }
        }
        probe.tries++;
    }
    std::erase_if(probes_, [&](const Probe& probe) { return now >= probe.ends; });
    for (const NodeId id : missed) {
        members_.missed(id, now);
    }
}

void Agent::tick(Millis now, Outbox& out) {
    // A loop that was held up has not read its answers yet.
    if (const Millis late = now - expected_; expected_ > 0 && late > late_from) {
        for (Probe& probe : probes_) {
            probe.again += late;
            probe.ends += late;
        }
    }
    run_probes(now, out);
    run_requests(now, out);
    for (auto& [to, again] : second_release_) {
        out.messages.emplace_back(to, std::move(again));
    }
    second_release_.clear();
    members_.expire(now);
    ledger_.expire(now);
    if (now >= next_period_) {
        for (const NodeId id : members_.targets(settings_.fanout)) {
            if (probes_.size() < most_probes) {
                probes_.push_back({id, ++number_, 0, 0, now + settings_.ping_again,
                                   now + settings_.ping_gives_up});
                send_ping(probes_.back(), now, out);
            }
        }
        // Nodes that began together drift apart.
        const Millis spread = settings_.period / 10;
        next_period_ = now + settings_.period - spread / 2 +
                       static_cast<Millis>(random_() % static_cast<std::uint64_t>(spread + 1));
    }
    expected_ = next();
}

Millis Agent::next() const {
    Millis due = next_period_;
    for (const Probe& probe : probes_) {
        due = std::min(due, std::min(probe.again, probe.ends));
    }
    for (const auto& [id, pending] : pending_) {
        if (!pending.granted) {
            due = std::min(due, pending.due);
        }
    }
    if (!second_release_.empty()) {
        due = std::min(due, expected_);
    }
    return due;
}

std::pair<Verdict, Millis> Agent::why(TaskId id, Millis now) const {
    const auto found = tracks_.find(id);
    // Who hardly uses the CPU is remembered, but nothing is decided about it.
    const bool seen =
        found != tracks_.end() && (found->second.seen == observed_ || pending_.contains(id));
    const Millis age = seen ? now - found->second.decided : 0;
    // A node that decides nothing has no newer word than what it decided before, or for a person.
    if (!decides() && (!seen || age >= settings_.period)) {
        Verdict verdict;
        verdict.reason = settings_.balance ? Reason::quiet : Reason::balance_off;
        verdict.here_load = load_of(own_load());
        return {verdict, 0};
    }
    if (seen && found->second.verdict.reason != Reason::not_seen) {
        return {found->second.verdict, age};
    }
    // Asked before the first thought about it. What holds for all, holds for it.
    Verdict verdict;
    if ((seen_.load.flags & (flag_stay | flag_lstay)) != 0) {
        verdict.reason = (seen_.load.flags & flag_stay) != 0 ? Reason::stay : Reason::lstay;
        verdict.here_load = load_of(own_load());
    }
    return {verdict, seen ? age : 0};
}

bool Agent::decides() const {
    return settings_.balance && (seen_.load.flags & flag_quiet) == 0;
}

}  // namespace mosrig::policy
