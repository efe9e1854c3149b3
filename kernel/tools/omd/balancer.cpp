// SPDX-License-Identifier: GPL-2.0-only
#include "omd/balancer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "omd/policy/load.h"

namespace mosrig {
namespace {

constexpr std::chrono::milliseconds move_look{50};    // at a process that should be on its way
constexpr std::chrono::milliseconds link_pause{100};  // until a pool has a link again
// A process that sleeps in a call moves when the call returns; nobody waits that long for it.
constexpr std::chrono::seconds longest{8};
constexpr int announce_periods = 5;
// All of a large process's pages have followed it by then, or nobody waits for the figure.
constexpr std::chrono::seconds longest_push{60};
constexpr std::chrono::milliseconds push_look{250};
constexpr std::chrono::seconds refusal_kept{10};

policy::Fate fate_of(Machine::Progress progress) {
    switch (progress) {
        case Machine::Progress::done:
            return policy::Fate::went;
        case Machine::Progress::returned:
            return policy::Fate::came_back;
        case Machine::Progress::failed:
        case Machine::Progress::under_way:
            break;
    }
    return policy::Fate::failed;
}

const char* fate_words(policy::Fate fate) {
    switch (fate) {
        case policy::Fate::went:
            return "moved to";
        case policy::Fate::came_back:
            return "is back already from";
        case policy::Fate::kept:
            return "is not let go by its home to";
        case policy::Fate::failed:
            break;
    }
    return "did not go to";
}

std::uint64_t seed_of(std::uint32_t self) {
    const Nonce nonce = make_nonce();
    std::uint64_t seed = self;
    for (std::size_t i = 0; i < sizeof(seed); i++) {
        seed = seed << 8U ^ nonce.at(i);
    }
    return seed;
}

om_load kernel_load(const policy::NodeLoad& load) {
    om_load told{};
    told.id = load.id;
    told.cpus = load.cpus;
    told.load = static_cast<std::uint32_t>(std::lround(policy::load_of(load)));
    told.speed = load.speed;
    told.util = load.util;
    told.flags = load.flags;
    told.mem = load.mem;
    told.rmem = load.rmem;
    told.tmem = load.tmem;
    return told;
}

}  // namespace

Balancer::Balancer(Cluster& cluster, KernelDevice& device, Machine& machine, Settings settings,
                   Fd socket, Fd group, decltype(Gossip::Events::announced) announced)
    : cluster_(cluster),
      device_(device),
      machine_(machine),
      settings_(settings),
      agent_(cluster.self, OwnRun::make().boot, seed_of(cluster.self), settings.agent),
      gossip_(cluster, std::move(socket), std::move(group),
              {[this](std::uint32_t from, const policy::Message& message) {
                   on_message(from, message);
               },
               std::move(announced)}) {}

Result<void> Balancer::start() {
    auto ready = machine_.ready();
    able_ = ready.has_value();
    if (!able_) {
        cluster_.log.line("{}", ready.error().text);
    }
    agent_.set_balance(settings_.agent.balance && able_);
    peers_changed();
    return gossip_.start();
}

void Balancer::peers_changed() {
    auto roster = std::make_shared<policy::Roster>();
    roster->push_back(cluster_.self);
    for (const Peer& peer : cluster_.peers) {
        roster->push_back(peer.id);
    }
    std::sort(roster->begin(), roster->end());
    agent_.set_roster(std::move(roster));
    gossip_.peers_changed();
}

policy::Millis Balancer::ms(Instant now) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
}

Instant Balancer::instant(policy::Millis time) {
    return Instant(std::chrono::milliseconds(time));
}

void Balancer::on_message(std::uint32_t from, const policy::Message& message) {
    const Instant now = Clock::now();
    if (agent_.wants_count(message, ms(now))) {
        agent_.recount(machine_.observe(), ms(now));
        answer_counted(now);
    }
    policy::Outbox out;
    agent_.receive(from, message, ms(now), out);
    carry_out(out, now);
}

void Balancer::observe(Instant now) {
    observed_ = now;
    std::erase_if(refusals_, [&](const auto& one) { return now - one.second.at > refusal_kept; });
    policy::Outbox out;
    agent_.observe(machine_.observe(), ms(now), out);
    carry_out(out, now);
    answer_counted(now);
    tell_kernel();
}

void Balancer::tell_kernel() {
    if (!loads_taken_) {
        return;
    }
    std::vector<om_load> loads{kernel_load(agent_.own_load())};
    for (const policy::Members::Known& known : agent_.members().loads()) {
        if (agent_.members().state(known.entry.load.id) != policy::State::down) {
            loads.push_back(kernel_load(known.entry.load));
        }
    }
    for (const om_load& load : loads) {
        auto told = device_.set_load(load);
        if (!told && told.error().code == ENOTTY) {
            loads_taken_ = false;
            cluster_.log.line("{}: loads are not shown in /proc/hpc", told.error().text);
            return;
        }
    }
}

void Balancer::run(Instant now) {
    const auto period = std::chrono::milliseconds(settings_.agent.period);
    if (able_ && now - observed_ >= period) {
        observe(now);
    }
    if (settings_.announce && now - announced_ >= announce_periods * period) {
        announced_ = now;
        gossip_.announce();
    }
    watch_journeys(now);
    watch_pushes(now);
    answer_questions(now);
    if (ms(now) >= agent_.next()) {
        policy::Outbox out;
        agent_.tick(ms(now), out);
        carry_out(out, now);
    }
}

Instant Balancer::next() const {
    const auto period = std::chrono::milliseconds(settings_.agent.period);
    Instant due = instant(agent_.next());
    if (able_) {
        due = std::min(due, observed_ + period);
    }
    if (settings_.announce) {
        due = std::min(due, announced_ + announce_periods * period);
    }
    for (const auto& [pid, journey] : journeys_) {
        due = std::min(due, journey.look);
    }
    for (const auto& [pid, push] : pushes_) {
        due = std::min(due, push.look);
    }
    if (!questions_.empty()) {
        due = std::min(due, instant(agent_.count_due()));
    }
    return due;
}

void Balancer::leave() {
    policy::Outbox out;
    agent_.leave(ms(Clock::now()), out);
    carry_out(out, Clock::now());
}

void Balancer::reconsider(pid_t pid, Instant now) {
    refusals_.erase(pid);
    questions_.insert(pid);
    answer_questions(now);
}

// To count all processes takes its time, and anybody may ask.
void Balancer::answer_questions(Instant now) {
    if (!questions_.empty() && ms(now) >= agent_.count_due()) {
        agent_.recount(machine_.observe(), ms(now));
        answer_counted(now);
    }
}

void Balancer::answer_counted(Instant now) {
    policy::Outbox out;
    for (const pid_t pid : questions_) {
        agent_.reconsider(pid, ms(now), out);
    }
    questions_.clear();
    carry_out(out, now);
}

bool Balancer::asked(pid_t pid) const {
    const auto found = journeys_.find(pid);
    return found != journeys_.end() && found->second.asked;
}

int Balancer::refusal(pid_t pid) const {
    const auto found = refusals_.find(pid);
    return found != refusals_.end() ? found->second.code : 0;
}

void Balancer::carry_out(policy::Outbox& out, Instant now) {
    for (const auto& [to, message] : out.messages) {
        gossip_.send(to, message);
    }
    for (const policy::Move& move : out.moves) {
        const auto pid = static_cast<pid_t>(move.id);
        Journey& journey = journeys_[pid];
        journey = {move.target, move.to_home, false, now, now + longest};
        begin(pid, journey, now);
    }
}

void Balancer::begin(pid_t pid, Journey& journey, Instant now) {
    journey.look = now + move_look;
    auto moved = machine_.move(pid, journey.target, journey.to_home);
    if (moved) {
        journey.asked = true;
        refusals_.erase(pid);
        return;
    }
    refusals_[pid] = {moved.error().code, now};
    if (moved.error().code == EAGAIN && now < journey.deadline) {
        journey.look = now + link_pause;
        return;
    }
    cluster_.log.limited_line("process {} does not go to node {}: {}", pid, journey.target,
                              moved.error().text);
    journey.deadline = now;  // the next look gives it up
    journey.look = now;
}

void Balancer::watch_journeys(Instant now) {
    struct Ended {
        pid_t pid;
        Machine::Journey result;
        policy::Fate fate;
    };
    std::vector<Ended> ended;
    for (auto& [pid, journey] : journeys_) {
        if (now < journey.look) {
            continue;
        }
        if (!journey.asked) {
            if (now >= journey.deadline) {
                ended.push_back({pid, {}, policy::Fate::failed});
            } else {
                begin(pid, journey, now);
            }
            continue;
        }
        journey.look = now + move_look;
        const Machine::Journey result = machine_.journey(pid, journey.target);
        if (result.progress != Machine::Progress::under_way) {
            ended.push_back({pid, result, fate_of(result.progress)});
        } else if (now >= journey.deadline) {
            const bool own = machine_.cancel(pid);
            ended.push_back({pid, {}, own ? policy::Fate::failed : policy::Fate::kept});
        }
    }
    for (const Ended& one : ended) {
        end(one.pid, one.result, one.fate, now);
    }
}

void Balancer::end(pid_t pid, const Machine::Journey& result, policy::Fate fate, Instant now) {
    const Journey journey = journeys_.at(pid);
    journeys_.erase(pid);
    cluster_.log.limited_line("process {} {} node {}{}", pid, fate_words(fate), journey.target,
                              journey.to_home ? ", its home" : "");
    if (result.follows) {
        pushes_[pid] = {journey.target, now + push_look, now + longest_push};
    }
    policy::Outbox out;
    agent_.moved(pid, fate, result.pages, result.took, ms(now), out);
    carry_out(out, now);
}

// What a large move costs is known only when the last of its pages has gone.
void Balancer::watch_pushes(Instant now) {
    for (auto place = pushes_.begin(); place != pushes_.end();) {
        const auto current = place++;
        Push& push = current->second;
        if (now < push.look) {
            continue;
        }
        push.look = now + push_look;
        const Machine::Journey result = machine_.journey(current->first, push.target);
        const bool there = result.progress == Machine::Progress::done;
        if (there && !result.follows) {
            agent_.learn(result.pages, result.took);
        }
        if (!there || !result.follows || now >= push.deadline) {
            pushes_.erase(current);
        }
    }
}

}  // namespace mosrig
