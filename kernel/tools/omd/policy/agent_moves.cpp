// SPDX-License-Identifier: GPL-2.0-only
// Decisions, and requests to those who should take a process.
#include <algorithm>
#include <utility>

#include "omd/policy/agent.h"
#include "omd/policy/load.h"

namespace mosrig::policy {
namespace {

constexpr unsigned most_rounds = 4;   // of decisions in a period: after refusals
constexpr Millis calm_after = 60000;  // without a move: the process is as new
constexpr unsigned most_doublings = 4;
constexpr unsigned patient_rounds = 4;   // decisions without a node below the average
constexpr Millis fresh_for = 100;        // a count that is not older is good enough
constexpr Millis held_for = 300000;      // a guest that its home did not let go
constexpr Millis forget_after = 300000;  // whoever is not listed, at the latest

}  // namespace

bool Agent::track(const ProcessView& view, Millis span, Millis now) {
    auto [place, fresh] = tracks_.try_emplace(view.id);
    Track& track = place->second;
    if (!fresh && track.start != view.start) {
        track = {};  // another process with the same number
        fresh = true;
    }
    track.first_seen = fresh ? now : track.first_seen;
    track.seen = now;
    if (view.away) {
        track.start = view.start;
        track.here = false;
        return false;
    }
    // A guest that was not here at the last look, or an own process that was away. An own one that
    // is new in the list has only slept so far.
    const bool came = fresh ? view.home != 0 && span > 0 : !track.here;
    if (came) {
        if (now - track.moved_at > calm_after) {
            track.moves = 0;
        }
        track.settled_at = now + (settings_.residency << std::min(track.moves, most_doublings));
        track.moved_at = now;
        track.moves++;
        // Its sender promised a busy one, and it may still wait for its pages.
        track.demand = {};
        track.demand.expect(1);
    }
    track.start = view.start;
    track.here = true;
    track.decay = view.decay;
    if (view.cleared > track.cleared) {
        track.use.clear();
        track.cleared = view.cleared;
    }
    track.use.add(view.demand, std::max<Millis>(1, span), view.decay);
    track.demand.look(view.demand, span, view.age);
    return came;
}

// Who is not listed hardly uses the CPU, or has ended: nobody says which. Who was there for long
// may be so again.
void Agent::remember(Millis span, Millis now) {
    constexpr Millis least = 10000;
    for (auto place = tracks_.begin(); place != tracks_.end();) {
        const auto current = place++;
        Track& track = current->second;
        if (track.seen == now || pending_.contains(current->first)) {
            continue;
        }
        track.use.add(0, span, track.decay);
        track.demand.look(0, span);
        const bool travels = track.moves > 0 || !track.here;
        const Millis keep = std::clamp(4 * (track.seen - track.first_seen), least, forget_after);
        if (now - track.seen > (travels ? forget_after : keep)) {
            tracks_.erase(current);
        }
    }
}

// Between two looks there is time enough for a trend, or nothing is concluded.
void Agent::look_at_memory(Millis now) {
    constexpr Millis trend = 900;
    if (memory_at_ >= 0 && now - memory_at_ < trend) {
        return;
    }
    const Millis span = memory_at_ < 0 ? 0 : now - memory_at_;
    memory_.wanted = memory_wanted(span);
    memory_at_ = now;
    last_mem_ = seen_.load.mem;
}

// Free memory is short, or will be within five seconds if it goes on like this.
Pages Agent::memory_wanted(Millis span) const {
    constexpr double low = 0.06;
    constexpr double goal = 0.10;
    constexpr double watch = 0.20;
    constexpr double ahead = 5000;
    const auto all = static_cast<double>(seen_.load.tmem);
    const auto free = static_cast<double>(seen_.load.mem);
    const double falls =
        span > 0 ? (static_cast<double>(last_mem_) - free) / static_cast<double>(span) : 0;
    if (all <= 0 || free > watch * all) {
        return 0;
    }
    // More than nothing is never missing: what was a burst is over by the next look.
    const double soon = std::max(0.0, free - std::max(0.0, falls) * ahead);
    return soon < low * all ? static_cast<Pages>(goal * all - std::min(soon, free)) : 0;
}

bool Agent::wants_count(const Message& message, Millis now) const {
    return message.kind == Message::Kind::request && observed_ >= 0 && now - observed_ >= fresh_for;
}

Millis Agent::count_due() const {
    return observed_ < 0 ? 0 : observed_ + fresh_for;
}

void Agent::recount(const Observation& observation, Millis now) {
    const Millis span = observed_ < 0 ? 0 : now - observed_;
    seen_ = observation;
    seen_.load.id = self_;
    memory_.spare_swap = seen_.spare_swap;
    std::vector<NodeId> homes;
    for (const ProcessView& view : seen_.processes) {
        if (track(view, span, now)) {
            homes.push_back(view.home != 0 ? view.home : self_);
        }
    }
    ledger_.counted(homes, now);
    other_.look(seen_.other, span);
    observed_ = now;
    remember(span, now);
}

void Agent::observe(const Observation& observation, Millis now, Outbox& out) {
    recount(observation, now);
    look_at_memory(now);
    for (auto& [id, track] : tracks_) {
        track.demand.end_period();
        track.refused_by.clear();
    }
    other_.end_period();
    std::erase_if(avoid_, [&](const auto& entry) { return entry.second <= now; });
    rounds_ = 0;
    if (decides()) {
        decide(now, 0, out);
    }
}

void Agent::set_unlike(NodeId node, bool unlike) {
    if (unlike) {
        unlike_.insert(node);
    } else {
        unlike_.erase(node);
    }
}

std::vector<Target> Agent::targets(Millis now) const {
    std::vector<Target> list;
    for (const Members::Known& known : members_.loads()) {
        const NodeLoad& load = known.entry.load;
        if ((load.flags & (flag_block | flag_quiet)) == 0 &&
            now - known.written <= settings_.stale && !members_.doubted(known) &&
            !avoid_.contains(load.id) && !unlike(load.id)) {
            list.push_back({load.id, load.cpus, load.speed, load.runnable + known.planned, load.mem,
                            load.tmem, now - known.written});
        }
    }
    return list;
}

Candidate Agent::candidate(const ProcessView& view, const Track& track, double sure, bool asked,
                           Millis now) const {
    Candidate made;
    made.view = view;
    made.view.demand = track.demand.possible();
    made.use = track.use.value(view.decay);
    made.settled = now >= track.settled_at;
    made.refused = track.refused;
    made.asked = asked;
    made.sure = sure;
    made.held = now < track.held_until;
    made.refused_by = track.refused_by;
    return made;
}

// `only`: this process alone, asked for by a person; 0: all.
void Agent::decide(Millis now, TaskId only, Outbox& out) {
    counters_.decisions++;
    rounds_++;
    Situation situation;
    situation.self = seen_.load;
    situation.self.runnable = other_.sure();
    situation.memory = memory_;
    if (only != 0) {
        situation.memory.wanted = 0;
    }
    std::vector<Candidate> candidates;
    for (const ProcessView& view : seen_.processes) {
        if (view.away) {
            continue;
        }
        if (pending_.contains(view.id)) {
            situation.memory.without(view);
            continue;
        }
        const Track& track = tracks_[view.id];
        // Whoever asks knows what he does: there is no need to be sure.
        const double sure = only == 0 ? track.demand.sure() : track.demand.possible();
        situation.self.runnable += sure;
        situation.own_demand += view.home == 0 ? sure : 0;
        if (only == 0 || only == view.id) {
            candidates.push_back(candidate(view, track, sure, only != 0, now));
        }
    }
    if (candidates.empty()) {
        return;
    }
    situation.alone = members_.alone();
    std::vector<Target> others = targets(now);
    // Sooner or later any gain is better than waiting for a node below the average.
    if (waited_ < patient_rounds) {
        double runnable = situation.self.runnable;
        double capacity = situation.self.cpus;
        for (const Target& target : others) {
            runnable += target.runnable;
            capacity += target.cpus * speed_ratio(situation.self.speed, target.speed);
        }
        situation.average = runnable / capacity;
    }
    std::unordered_map<TaskId, Verdict> verdicts;
    Choice choice(situation, std::move(others), cost_, settings_.limits, random_);
    const std::vector<Plan> plans = choice.plan(candidates, verdicts);
    for (const auto& [id, verdict] : verdicts) {
        Track& track = tracks_[id];
        track.verdict = verdict;
        track.decided = now;
        track.refused = false;
    }
    if (rounds_ == 1) {
        const bool overloaded = situation.self.runnable > situation.self.cpus + 1;
        waited_ = overloaded && plans.empty() && pending_.empty() ? waited_ + 1 : 0;
    }
    for (const Plan& plan : plans) {
        ask(plan, only != 0, now, out);
    }
}

std::optional<NodeId> Agent::promised(TaskId id) const {
    const auto found = pending_.find(id);
    const bool yes = found != pending_.end() && found->second.granted;
    return yes ? std::optional(found->second.plan.target) : std::nullopt;
}

void Agent::reconsider(TaskId id, Millis now, Outbox& out) {
    if (!pending_.contains(id)) {
        decide(now, id, out);
    }
}

void Agent::ask(const Plan& plan, bool asked_for, Millis now, Outbox& out) {
    Pending pending;
    pending.plan = plan;
    pending.number = ++number_;
    pending.asked_for = asked_for;
    pending.due = now;
    counters_.asked++;
    members_.plan(plan.target, plan.demand, now);
    pending_[plan.id] = pending;
    run_requests(now, out);
}

void Agent::run_requests(Millis now, Outbox& out) {
    std::vector<TaskId> silent;
    for (auto& [id, pending] : pending_) {
        if (pending.granted || now < pending.due) {
            continue;
        }
        if (pending.tries >= settings_.asks) {
            silent.push_back(id);
            continue;
        }
        pending.tries++;
        pending.due = now + settings_.ask_again;
        Message request = message(Message::Kind::request, pending.number, false, now);
        request.about = pending.plan.home != 0 ? pending.plan.home : self_;
        request.demand = pending.plan.demand;
        request.rate = pending.plan.rate;
        request.pages = pending.plan.pages;
        request.urgent = pending.plan.urgent;
        request.eviction = pending.plan.eviction;
        out.messages.emplace_back(pending.plan.target, std::move(request));
    }
    for (const TaskId id : silent) {
        avoid_[pending_[id].plan.target] = now + settings_.avoid;
        give_up(id, now);
    }
}

void Agent::give_up(TaskId id, Millis now) {
    Track& track = tracks_[id];
    track.refused_by.push_back(pending_.at(id).plan.target);
    pending_.erase(id);
    counters_.refused++;
    track.refused = true;
    track.verdict.reason = Reason::refused_by_node;
    track.decided = now;
}

void Agent::on_answer(NodeId from, const Message& message, Millis now, Outbox& out) {
    const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const auto& entry) {
        return entry.second.number == message.number && entry.second.plan.target == from;
    });
    if (found == pending_.end() || found->second.granted) {
        if (found == pending_.end() && message.kind == Message::Kind::grant) {
            // Too late: the process has other plans. The promise is given back.
            Message back = this->message(Message::Kind::release, message.number, false, now);
            out.messages.emplace_back(from, std::move(back));
        }
        return;
    }
    const TaskId id = found->first;
    if (message.kind == Message::Kind::refuse) {
        const bool asked_for = found->second.asked_for;
        if (found->second.plan.urgent) {
            avoid_[from] = now + settings_.avoid;
        }
        give_up(id, now);
        // Its answer brought its load: another node may be the better one now.
        if (rounds_ < most_rounds) {
            decide(now, asked_for ? id : 0, out);
        }
        return;
    }
    found->second.granted = true;
    counters_.granted++;
    out.moves.push_back({id, from, found->second.plan.to_home, found->second.asked_for});
}

void Agent::learn(Pages pages, Millis took_ms) {
    if (took_ms > 0) {
        cost_.learn(pages, static_cast<double>(took_ms));
    }
}

void Agent::moved(TaskId id, Fate fate, Pages pages, Millis took_ms, Millis now, Outbox& out) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) {
        return;
    }
    const NodeId target = found->second.plan.target;
    Message release = message(Message::Kind::release, found->second.number, false, now);
    release.done = fate == Fate::went;
    // It gets no answer, so it is said twice.
    second_release_.emplace_back(target, release);
    out.messages.emplace_back(target, std::move(release));
    pending_.erase(found);
    Track& track = tracks_[id];
    track.decided = now;
    counters_.moved += fate == Fate::went || fate == Fate::came_back ? 1 : 0;
    counters_.failed += fate == Fate::failed || fate == Fate::kept ? 1 : 0;
    switch (fate) {
        case Fate::went:
            learn(pages, took_ms);
            track.verdict.reason = Reason::moved;
            track.here = false;
            if (const auto view = std::find_if(seen_.processes.begin(), seen_.processes.end(),
                                               [&](const auto& one) { return one.id == id; });
                view != seen_.processes.end()) {
                memory_.without(*view);
                seen_.processes.erase(view);
            }
            break;
        case Fate::came_back:
            // The next count takes it for one that has come.
            track.verdict.reason = Reason::just_moved;
            track.here = false;
            track.settled_at = std::max(track.settled_at, now + settings_.residency);
            break;
        case Fate::kept:
            // Its home says no, not the other node.
            track.verdict.reason = Reason::guest;
            track.held_until = now + held_for;
            break;
        case Fate::failed:
            avoid_[target] = now + settings_.avoid;
            track.verdict.reason = Reason::refused_by_node;
            track.refused = true;
            break;
    }
}

}  // namespace mosrig::policy
