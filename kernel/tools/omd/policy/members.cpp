// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/members.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "omd/policy/load.h"

namespace mosrig::policy {

const char* state_word(State state) {
    switch (state) {
        case State::up:
            return "up";
        case State::suspect:
            return "suspect";
        case State::down:
            return "down";
        case State::unknown:
            break;
    }
    return "unconfigured";
}

Members::Members(NodeId self, Settings settings, std::uint64_t seed)
    : self_(self), settings_(settings), random_(seed) {}

void Members::set_roster(std::shared_ptr<const Roster> roster) {
    roster_ = std::move(roster);
    for (std::size_t i = 0; i < loads_.size();) {
        const NodeId id = loads_[i].entry.load.id;
        if (contains(id)) {
            i++;
        } else {
            forget(id);
        }
    }
    std::erase_if(troubles_, [&](const auto& trouble) { return !contains(trouble.first); });
    next_walk();
}

bool Members::contains(NodeId id) const {
    return std::binary_search(roster_->begin(), roster_->end(), id);
}

void Members::next_walk() {
    walked_ = 0;
    const std::size_t size = roster_->size();
    if (size < 2) {
        return;
    }
    walk_start_ = random_() % size;
    do {
        walk_step_ = 1 + random_() % (size - 1);
    } while (std::gcd(walk_step_, size) != 1);
}

std::vector<NodeId> Members::targets(std::size_t count) {
    std::vector<NodeId> chosen;
    const std::size_t size = roster_->size();
    // Who is down is asked less often, but is asked: only that finds a healed network.
    for (std::size_t looked = 0; looked < 2 * count + 2 && chosen.size() < count; looked++) {
        if (walked_ >= size) {
            if (looked >= size) {
                break;  // all of a small cluster in one period
            }
            next_walk();
        }
        const NodeId id = (*roster_)[(walk_start_ + walked_ * walk_step_) % size];
        walked_++;
        const bool rest = state(id) == State::down && random_() % 4 != 0;
        if (id != self_ && !rest && std::find(chosen.begin(), chosen.end(), id) == chosen.end()) {
            chosen.push_back(id);
        }
    }
    return chosen;
}

std::vector<NodeId> Members::helpers(std::size_t count, NodeId without) {
    std::vector<NodeId> chosen;
    const std::size_t size = roster_->size();
    for (std::size_t tries = 0; size > 0 && tries < 4 * count && chosen.size() < count; tries++) {
        const NodeId id = (*roster_)[random_() % size];
        if (id != self_ && id != without && state(id) != State::down &&
            std::find(chosen.begin(), chosen.end(), id) == chosen.end()) {
            chosen.push_back(id);
        }
    }
    return chosen;
}

void Members::heard(NodeId id, const Stamp& stamp, Millis /*now*/) {
    if (const auto found = troubles_.find(id);
        found != troubles_.end() && found->second.state != State::up) {
        clear(id, stamp);
    }
}

void Members::left(NodeId id, const Stamp& stamp, Millis now) {
    if (contains(id)) {
        set(id, State::down, stamp, now);
    }
}

void Members::missed(NodeId id, Millis now) {
    if (contains(id) && !troubles_.contains(id)) {
        set(id, State::suspect, last_stamp(id), now);
    } else if (const auto found = troubles_.find(id);
               found != troubles_.end() && found->second.state == State::up) {
        set(id, State::suspect, std::max(found->second.stamp, last_stamp(id)), now);
    }
}

bool Members::merge(const LoadEntry& entry, Millis now) {
    const NodeId id = entry.load.id;
    if (id == self_ || !contains(id)) {
        return false;
    }
    const Millis written = now - entry.age;
    if (const auto found = troubles_.find(id); found != troubles_.end()) {
        Trouble& trouble = found->second;
        if (entry.stamp > trouble.stamp && trouble.state != State::up) {
            clear(id, entry.stamp);
        } else if (trouble.state == State::down) {
            return false;
        }
    }
    if (const auto place = place_of(id)) {
        Known& known = loads_[*place];
        const bool newer =
            entry.stamp > known.entry.stamp || now - known.written > settings_.forget_run;
        if (!newer || written < known.written - settings_.forget_run) {
            return false;
        }
        const double planned = known.planned_at >= written ? known.planned : 0;
        known = {entry, written, planned, known.planned_at};
        return true;
    }
    Known& known = place_for(id);
    known = {entry, written, 0, 0};
    return true;
}

void Members::merge(const Rumour& rumour, const Stamp& own, Millis now) {
    if (rumour.id == self_) {
        if (rumour.state != State::up && rumour.stamp <= own) {
            troubles_[self_] = {State::up, 0, tellings(), own};
        }
        return;
    }
    if (!contains(rumour.id)) {
        return;
    }
    const Stamp known = last_stamp(rumour.id);
    const auto found = troubles_.find(rumour.id);
    if (rumour.state == State::up) {
        if (found != troubles_.end() && found->second.state != State::up &&
            rumour.stamp > found->second.stamp) {
            clear(rumour.id, rumour.stamp);
        }
        return;
    }
    if (rumour.stamp < known) {
        return;  // it has said more since
    }
    if (found != troubles_.end()) {
        const Trouble& trouble = found->second;
        const bool news = trouble.state == State::up ? rumour.stamp > trouble.stamp
                                                     : rumour.state > trouble.state;
        if (!news) {
            return;
        }
    }
    set(rumour.id, rumour.state, std::max(rumour.stamp, known), now);
}

void Members::expire(Millis now) {
    std::vector<NodeId> dead;
    for (const auto& [id, trouble] : troubles_) {
        if (trouble.state == State::suspect && trouble.deadline <= now) {
            dead.push_back(id);
        }
    }
    for (const NodeId id : dead) {
        set(id, State::down, troubles_[id].stamp, now);
    }
    std::erase_if(troubles_, [](const auto& entry) {
        return entry.second.state == State::up && entry.second.tellings == 0;
    });
}

std::vector<LoadEntry> Members::loads_to_tell(Millis now) {
    struct Fresh {
        const Known* known;
        std::pair<bool, double> rank;
    };
    std::vector<Fresh> fresh;
    fresh.reserve(loads_.size());
    for (const Known& known : loads_) {
        const Millis age = now - known.written;
        if (age <= settings_.worth_telling && !doubted(known)) {
            fresh.push_back({&known, {age > settings_.still_idle, load_of(known.entry.load)}});
        }
    }
    const std::size_t wanted = settings_.vector - 1;  // one is the node's own
    if (fresh.size() > wanted) {
        const auto middle = fresh.begin() + static_cast<std::ptrdiff_t>(wanted * 2 / 3);
        const auto end = fresh.begin() + static_cast<std::ptrdiff_t>(wanted);
        for (std::size_t i = 0; i < wanted * 2 / 3; i++) {
            std::swap(fresh[i], fresh[i + random_() % (fresh.size() - i)]);
        }
        std::nth_element(middle, end, fresh.end(),
                         [](const Fresh& a, const Fresh& b) { return a.rank < b.rank; });
        fresh.erase(end, fresh.end());
    }
    std::vector<LoadEntry> told;
    told.reserve(settings_.vector);
    for (const Fresh& one : fresh) {
        told.push_back(one.known->entry);
        told.back().age = now - one.known->written;
    }
    return told;
}

std::vector<Rumour> Members::rumours_to_tell() {
    std::vector<std::pair<unsigned, NodeId>> due;
    for (const auto& [id, trouble] : troubles_) {
        if (trouble.tellings > 0) {
            due.emplace_back(trouble.tellings, id);
        }
    }
    std::sort(due.rbegin(), due.rend());
    due.resize(std::min(due.size(), settings_.rumours));
    std::vector<Rumour> told;
    for (const auto& [count, id] : due) {
        Trouble& trouble = troubles_[id];
        trouble.tellings--;
        told.push_back({id, trouble.state, trouble.stamp});
    }
    return told;
}

State Members::state(NodeId id) const {
    if (const auto found = troubles_.find(id); found != troubles_.end()) {
        return found->second.state;
    }
    return place_of(id) ? State::up : State::unknown;
}

bool Members::doubted(const Known& known) const {
    const auto found = troubles_.find(known.entry.load.id);
    return found != troubles_.end() && found->second.state != State::up;
}

const Members::Known* Members::load(NodeId id) const {
    const auto place = place_of(id);
    return place ? &loads_[*place] : nullptr;
}

void Members::plan(NodeId id, double demand, Millis now) {
    if (const auto place = place_of(id)) {
        loads_[*place].planned += demand;
        loads_[*place].planned_at = now;
    }
}

// A look through a few cache lines is faster than any search in so little.
std::optional<std::size_t> Members::place_of(NodeId id) const {
    const auto found = std::find(ids_.begin(), ids_.end(), id);
    return found != ids_.end() ? std::optional(static_cast<std::size_t>(found - ids_.begin()))
                               : std::nullopt;
}

void Members::forget(NodeId id) {
    const auto place = place_of(id);
    if (!place) {
        return;
    }
    loads_[*place] = loads_.back();
    ids_[*place] = ids_.back();
    ids_.pop_back();
    loads_.pop_back();
}

// The oldest of a few random ones makes room: as good as the oldest of all, at a fixed price. In a
// large cluster most of what is told is of a node that is not remembered, so this is much of a
// node's work: a random number does for four of the few.
Members::Known& Members::place_for(NodeId id) {
    if (loads_.size() < settings_.capacity) {
        ids_.push_back(id);
        return loads_.emplace_back();
    }
    constexpr unsigned bits = 16;
    std::size_t oldest = loads_.size();
    for (unsigned draw = 0; draw < 2; draw++) {
        std::uint64_t random = random_();
        for (unsigned part = 0; part < 64 / bits; part++, random >>= bits) {
            const std::size_t other = ((random & 0xffffU) * loads_.size()) >> bits;
            const bool older =
                oldest == loads_.size() || loads_[other].written < loads_[oldest].written;
            oldest = older ? other : oldest;
        }
    }
    ids_[oldest] = id;
    return loads_[oldest];
}

void Members::set(NodeId id, State state, const Stamp& stamp, Millis now) {
    // Not all at the same time: who is first tells the others.
    const auto spread = static_cast<Millis>(
        random_() % static_cast<std::uint64_t>(std::max<Millis>(1, settings_.down_after / 4)));
    troubles_[id] = {state, now + settings_.down_after + spread, tellings(), stamp};
    if (state == State::down) {
        forget(id);
    }
}

void Members::clear(NodeId id, const Stamp& stamp) {
    troubles_[id] = {State::up, 0, tellings(), stamp};
}

// Each piece of news reaches all with a few times log(n) tellings of each node (SWIM, section 4.1).
unsigned Members::tellings() const {
    return 3 *
           static_cast<unsigned>(std::ceil(std::log2(static_cast<double>(roster_->size()) + 2)));
}

Stamp Members::last_stamp(NodeId id) const {
    const Known* known = load(id);
    return known != nullptr ? known->entry.stamp : Stamp{};
}

}  // namespace mosrig::policy
