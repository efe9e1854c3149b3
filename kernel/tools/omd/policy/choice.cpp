// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace mosrig::policy {
namespace {

constexpr double memory_margin = 0.10;  // of a target's memory stays free

double target_load(const Target& target) {
    return load_of({target.id, target.cpus, target.speed, target.runnable, 0, 0, 0, 0, 0});
}

bool refused(const Candidate& candidate, NodeId node) {
    const auto& by = candidate.refused_by;
    return std::find(by.begin(), by.end(), node) != by.end();
}

}  // namespace

Pages Shortage::freed_by(const ProcessView& view) const {
    const Pages most = view.home != 0 ? view.pages : std::min(view.pages, spare_swap);
    return most >= view.pages - most ? most : 0;
}

void Shortage::without(const ProcessView& view) {
    wanted -= std::min(wanted, freed_by(view));
    if (view.home == 0) {
        spare_swap -= std::min(spare_swap, view.pages);
    }
}

Choice::Choice(Situation situation, std::vector<Target> targets, const MoveCost& cost,
               Limits limits, std::mt19937_64& random)
    : situation_(situation),
      targets_(std::move(targets)),
      cost_(cost),
      limits_(limits),
      random_(random) {
    for (const Target& target : targets_) {
        fastest_ = std::max(fastest_, speed_ratio(situation_.self.speed, target.speed));
    }
}

Reason Choice::obstacle(const Candidate& candidate) const {
    const ProcessView& view = candidate.view;
    const bool guest = view.home != 0;
    if (!view.can_move) {
        return Reason::cant_move;
    }
    if (view.locked) {
        return Reason::locked;
    }
    if (candidate.asked) {
        return situation_.alone ? Reason::alone : Reason::moved;
    }
    if (candidate.held) {
        return Reason::guest;
    }
    if ((situation_.self.flags & flag_stay) != 0) {
        return Reason::stay;
    }
    if (!guest && (situation_.self.flags & flag_lstay) != 0) {
        return Reason::lstay;
    }
    if (view.demand < limits_.hardly) {
        return Reason::sleeping;
    }
    if (candidate.sure < limits_.hardly) {
        return Reason::too_young;
    }
    if (situation_.alone) {
        return Reason::alone;
    }
    return candidate.settled ? Reason::moved : Reason::just_moved;
}

// Calls into the system go home: a process that spends its time in them loses by being away.
double Choice::bonus_at(const Target& target, const ProcessView& view) {
    const double away = std::clamp(1 - view.system_share, 0.1, 1.0);
    if (view.home == 0) {
        return away;
    }
    return view.home == target.id ? 1 / away : 1;
}

double Choice::rate_at(const Target& target, const ProcessView& view) const {
    return bonus_at(target, view) * speed_ratio(situation_.self.speed, target.speed) *
           share_of(target.cpus, target.runnable + view.demand);
}

bool Choice::has_room(const Target& target, const ProcessView& view) const {
    const auto margin = static_cast<Pages>(memory_margin * static_cast<double>(target.tmem));
    return target.tmem == 0 || target.mem >= view.pages + margin;
}

double Choice::rate_here(const Candidate& candidate) const {
    const double fewer = candidate.asked ? 0.0 : limits_.hysteresis;
    return share_of(situation_.self.cpus, situation_.self.runnable - fewer);
}

bool Choice::below_average(const Target& target, double demand) const {
    constexpr double rounding = 0.2;  // an average of 4.1 is one of 4, wrongly measured
    constexpr double noise = 0.5;     // of a target's load
    if (situation_.average <= 0) {
        return true;
    }
    const double share =
        situation_.average * target.cpus * speed_ratio(situation_.self.speed, target.speed);
    const double fair = std::max<double>(target.cpus, std::ceil(share - rounding));
    return target.runnable + demand <= fair + noise;
}

// What is below its share keeps what it has, for the same reason.
bool Choice::above_average(double sure) const {
    constexpr double rounding = 0.2;
    constexpr double noise = 0.3;
    const double share = situation_.average * situation_.self.cpus;
    return situation_.self.runnable - sure >= std::floor(share + rounding) - noise;
}

// The best of a few random ones: nodes that decide at the same time on the same knowledge must not
// all choose the same (M. Mitzenmacher, "The power of two choices in randomized load balancing",
// IEEE TPDS 12, 2001). In a small cluster the few are all.
Choice::Offer Choice::best_offer(const Candidate& candidate, bool above) {
    constexpr std::size_t few = 8;
    constexpr double nearly = 0.97;
    fitting_.clear();
    for (Target& target : targets_) {
        const bool wanted = above || situation_.memory.wanted > 0 || candidate.asked;
        if (!refused(candidate, target.id) && has_room(target, candidate.view) &&
            (wanted || below_average(target, candidate.view.demand))) {
            fitting_.push_back(&target);
        }
    }
    Offer best;
    for (std::size_t i = 0; i < std::min(few, fitting_.size()); i++) {
        std::swap(fitting_[i], fitting_[i + random_() % (fitting_.size() - i)]);
        const double rate = rate_at(*fitting_[i], candidate.view);
        const bool home = fitting_[i]->id == candidate.view.home;
        // Of equal ones that of which it is most likely still true.
        const bool fresher = best.target != nullptr && rate >= best.rate * nearly &&
                             fitting_[i]->age < best.target->age &&
                             best.target->id != candidate.view.home;
        if (rate > best.rate / nearly || fresher || (home && rate >= best.rate * nearly)) {
            best = {fitting_[i], rate, bonus_at(*fitting_[i], candidate.view)};
        }
    }
    return best;
}

Choice::Value Choice::value(const Candidate& candidate, double there) const {
    const double here = rate_here(candidate);
    const double left = expected_remaining(candidate.view.cpu_time) * candidate.use;
    Value value;
    value.cost = cost_.estimate(candidate.view.pages);
    value.factor = here > 0 ? there / here : 0;
    value.gain = there > 0 ? left * (1 / here - 1 / there) : 0;
    return value;
}

bool Choice::pays(const Candidate& candidate, const Value& value) const {
    if (candidate.asked) {
        return value.factor > 1;
    }
    // Who has a CPU of his own here goes for the sake of a markedly faster one only.
    const bool idle = situation_.self.runnable - limits_.hysteresis <= situation_.self.cpus;
    const double least = idle ? same_speed : limits_.smallest_gain;
    return value.factor > least && value.gain > limits_.worth * value.cost;
}

// A guest of a node whose owner wants it: goes home even if it gains nothing, as long as it loses
// next to nothing. From home only a real gain takes it away again.
bool Choice::evictable(const Candidate& candidate) const {
    constexpr double owner = 0.5;
    return candidate.view.home != 0 && situation_.own_demand >= owner &&
           situation_.self.runnable > situation_.self.cpus + limits_.hysteresis;
}

Plan Choice::take(const Candidate& candidate, const Offer& offer) {
    Plan plan;
    plan.id = candidate.view.id;
    plan.target = offer.target->id;
    plan.home = candidate.view.home;
    plan.to_home = candidate.view.home == offer.target->id;
    plan.demand = candidate.view.demand;
    // The other node must give nearly what it seems to offer: less is a reason to look further, as
    // long as there is hope for a node below the average.
    constexpr double nearly_as_offered = 0.9;
    const bool choosy = situation_.average > 0 && !candidate.asked;
    // It counts CPUs only: what the process's system calls gain or lose is not its affair.
    plan.rate =
        std::max(rate_here(candidate), choosy ? nearly_as_offered * offer.rate : 0.0) / offer.bonus;
    plan.pages = candidate.view.pages;
    offer.target->runnable += candidate.view.demand;
    offer.target->mem -= std::min(offer.target->mem, candidate.view.pages);
    situation_.self.runnable -= candidate.sure;
    situation_.memory.without(candidate.view);
    return plan;
}

// A guest that sleeps takes up as much memory as one that works.
bool Choice::makes_room(const Candidate& candidate, Reason obstacle) const {
    return situation_.memory.wanted > 0 && !situation_.alone && candidate.view.home != 0 &&
           candidate.settled && (obstacle == Reason::sleeping || obstacle == Reason::too_young);
}

// Before the node swaps: first guests, of those the smallest that is enough, else the largest.
// `resting`: those that leave for this reason only.
void Choice::usher(std::vector<const Candidate*>& open, std::vector<const Candidate*>& resting,
                   std::vector<Plan>& plans, std::unordered_map<TaskId, Verdict>& verdicts) {
    constexpr double much_slower = 0.25;
    while (situation_.memory.wanted > 0 && plans.size() < limits_.moves) {
        const Candidate* chosen = nullptr;
        Offer offer;
        auto rank = [&](const Candidate* one) {
            const Pages pages = situation_.memory.freed_by(one->view);
            const bool enough = pages >= situation_.memory.wanted;
            const auto size = static_cast<double>(pages);
            return std::pair(one->view.home != 0 ? 1 : 0, enough ? 1e15 - size : size);
        };
        for (const auto* list : {&open, &resting}) {
            for (const Candidate* one : *list) {
                if (situation_.memory.freed_by(one->view) == 0 ||
                    (chosen != nullptr && rank(one) <= rank(chosen))) {
                    continue;
                }
                const Offer possible = best_offer(*one);
                if (possible.target != nullptr && possible.rate >= much_slower * rate_here(*one)) {
                    chosen = one;
                    offer = possible;
                }
            }
        }
        if (chosen == nullptr) {
            return;
        }
        verdicts[chosen->view.id] = verdict(*chosen, offer);
        verdicts[chosen->view.id].reason = Reason::moved;
        plans.push_back(take(*chosen, offer));
        plans.back().urgent = true;
        std::erase(open, chosen);
        std::erase(resting, chosen);
    }
}

void Choice::evict(std::vector<const Candidate*>& open, std::vector<Plan>& plans,
                   std::unordered_map<TaskId, Verdict>& verdicts) {
    constexpr double as_fast = 0.95;
    for (std::size_t i = 0; i < open.size() && plans.size() < limits_.moves;) {
        const Candidate* one = open[i++];
        if (!evictable(*one)) {
            continue;
        }
        const auto home = std::find_if(targets_.begin(), targets_.end(),
                                       [&](const Target& t) { return t.id == one->view.home; });
        const double here = share_of(situation_.self.cpus, situation_.self.runnable);
        if (home == targets_.end() || refused(*one, home->id) || !has_room(*home, one->view) ||
            rate_at(*home, one->view) < as_fast * here) {
            continue;
        }
        const Offer offer{&*home, rate_at(*home, one->view), bonus_at(*home, one->view)};
        verdicts[one->view.id] = verdict(*one, offer);
        verdicts[one->view.id].reason = Reason::moved;
        plans.push_back(take(*one, offer));
        plans.back().rate = here / offer.bonus;
        plans.back().eviction = true;
        std::erase(open, one);
        i--;
    }
}

// The figures for one process as things stand; the reason is the caller's.
Verdict Choice::verdict(const Candidate& candidate, const Offer& offer) const {
    Verdict result;
    result.here_load = load_of(situation_.self);
    if (offer.target != nullptr) {
        const Value figures = value(candidate, offer.rate);
        result.best = offer.target->id;
        result.best_load = target_load(*offer.target);
        result.gain_ms = figures.gain;
        result.cost_ms = figures.cost;
    }
    return result;
}

std::vector<Plan> Choice::plan(const std::vector<Candidate>& candidates,
                               std::unordered_map<TaskId, Verdict>& verdicts) {
    std::vector<Plan> plans;
    std::vector<const Candidate*> open;
    std::vector<const Candidate*> resting;
    for (const Candidate& candidate : candidates) {
        const Reason reason = obstacle(candidate);
        if (reason == Reason::moved) {
            open.push_back(&candidate);
        } else {
            Verdict& told = verdicts[candidate.view.id];
            told = {};
            told.reason = reason;
            told.here_load = load_of(situation_.self);
            if (makes_room(candidate, reason)) {
                resting.push_back(&candidate);
            }
        }
    }
    if (!targets_.empty()) {
        usher(open, resting, plans, verdicts);
        evict(open, plans, verdicts);
    }
    const auto idle_here = [&] {
        return situation_.self.runnable - limits_.hysteresis <= situation_.self.cpus &&
               fastest_ <= 1;
    };
    // The most profitable first: usually the oldest, of those the smallest.
    while (plans.size() < limits_.moves && !idle_here()) {
        const Candidate* best = nullptr;
        Offer best_place;
        double best_net = -std::numeric_limits<double>::infinity();
        for (const Candidate* one : open) {
            const Offer offer = best_offer(*one);
            if (offer.target == nullptr || (!one->asked && !above_average(one->sure))) {
                continue;
            }
            const Value figures = value(*one, offer.rate);
            // Guests first, if both gain.
            const double net = figures.net() + (one->view.home != 0 ? std::abs(figures.net()) : 0);
            if (pays(*one, figures) && net > best_net) {
                best = one;
                best_place = offer;
                best_net = net;
            }
        }
        if (best == nullptr) {
            break;
        }
        verdicts[best->view.id] = verdict(*best, best_place);
        verdicts[best->view.id].reason = Reason::moved;
        plans.push_back(take(*best, best_place));
        std::erase(open, best);
    }
    for (const Candidate* one : open) {
        Verdict& told = verdicts[one->view.id];
        // The best other node, also one that has its share: a person wants to hear of it.
        told = verdict(*one, best_offer(*one, true));
        const bool too_dear = told.gain_ms > 0 && told.gain_ms <= limits_.worth * told.cost_ms;
        if (idle_here()) {
            told.reason = Reason::balanced;
        } else if (one->refused) {
            told.reason = Reason::refused_by_node;
        } else {
            told.reason = too_dear ? Reason::too_young : Reason::no_better_node;
        }
    }
    return plans;
}

}  // namespace mosrig::policy
