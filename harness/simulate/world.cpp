// SPDX-License-Identifier: MIT
// Events, messages and the daemons. What happens to jobs is in world_jobs.cpp.
#include "harness/simulate/world.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "harness/simulate/optimum.h"
#include "omd/policy/load.h"

namespace mosrig::simulate {
namespace {

constexpr double period = 1000;
constexpr double watch = 60000;             // after balance
constexpr double longest_endless = 300000;  // of an endless run
constexpr double longest_run = 36e6;        // of any run
constexpr double back_after = 20000;        // a node that crashed

// Daemons that are told everything once more, spread over the nodes, and how often: the least time
// of one is its work, what is above that is this machine's other business.
constexpr std::size_t most_measured = 8;
constexpr unsigned replays = 5;

}  // namespace

Outcome run(const Scenario& scenario) {
    return World(scenario).run();
}

World::World(const Scenario& scenario) : scenario_(scenario), random_(scenario.seed * 7 + 3) {
    const auto specs = make_nodes(scenario_);
    auto roster = std::make_shared<policy::Roster>(specs.size());
    std::iota(roster->begin(), roster->end(), 1U);
    roster_ = roster;
    nodes_.resize(specs.size());
    for (Index i = 0; i < nodes_.size(); i++) {
        nodes_[i].spec = specs[i];
        boot(i);
        if (scenario_.churn > 0) {
            push(-std::log(1 - uniform()) * 60000 / scenario_.churn, Kind::crash, i);
        }
    }
    // The cluster is up and has exchanged its news before anybody works.
    constexpr double warm_up = 10000;
    for (const JobSpec& spec : make_jobs(scenario_)) {
        Job job;
        job.spec = spec;
        job.spec.start_ms += warm_up;
        job.at = spec.home;
        job.left_ms = spec.work_ms;
        last_start_ = std::max(last_start_, job.spec.start_ms);
        push(job.spec.start_ms, Kind::start, spec.home, jobs_.size());
        jobs_.push_back(job);
    }
    alive_ = jobs_.size();
    push(0, Kind::look, 0);
}

void World::boot(Index index) {
    Node& node = nodes_[index];
    policy::AgentSettings settings;
    settings.balance = scenario_.policy == Policy::ours;
    const bool recorded = scenario_.measure && node.life == 0 && is_measured(index);
    steps_ += node.daemon != nullptr ? node.daemon->steps() : 0;
    node.daemon = std::make_shared<Daemon>(
        DaemonSpec{index + 1, node.life + 1, random_(), settings, roster_}, recorded);
    if (recorded) {
        measured_.push_back(node.daemon);
    }
    node.tick_at = -1;
    node.sent.clear();
    push(now_ + uniform() * period, Kind::observe, index, node.life);
    node.tick_at = now_ + uniform() * period;
    push(node.tick_at, Kind::tick, index);
}

bool World::is_measured(Index index) const {
    const std::size_t step = std::max<std::size_t>(1, nodes_.size() / most_measured);
    return index % step == 0 && index / step < most_measured;
}

double World::daemon_us() const {
    double cpu = 0;
    double seconds = 0;
    for (const std::shared_ptr<Daemon>& daemon : measured_) {
        double least = 0;
        for (unsigned i = 0; i < replays; i++) {
            const Daemon::Replay replay = daemon->replay();
            if (replay.said != daemon->said()) {
                return -1;  // it was not told the same, so that its time says nothing
            }
            least = i == 0 ? replay.cpu_us : std::min(least, replay.cpu_us);
            seconds += i == 0 ? replay.seconds : 0;
        }
        cpu += least;
    }
    return seconds > 0 ? cpu / seconds : -1;
}

void World::push(double time, Kind kind, Index node, std::uint64_t what) {
    events_.push({time, order_++, kind, node, what});
}

Outcome World::run() {
    const auto begin = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    while (!events_.empty() && !over()) {
        const Event event = events_.top();
        events_.pop();
        now_ = event.time;
        handle(event);
    }
    const double used = cpu_seconds() - cpu;
    const std::chrono::duration<double> real = std::chrono::steady_clock::now() - begin;
    Outcome result = outcome();
    result.real_s = real.count();
    result.daemon_us = daemon_us();
    result.cpu_us = used * 1e6 / (now_ / 1000) / static_cast<double>(nodes_.size());
    return result;
}

bool World::over() const {
    if (now_ > longest_run) {
        return true;
    }
    if (scenario_.work_s > 0) {
        return alive_ == 0 && now_ > last_start_;
    }
    if (scenario_.limit_s > 0) {
        return now_ >= last_start_ + scenario_.limit_s * 1000;
    }
    return (balanced_at_ >= 0 && now_ >= balanced_at_ + watch) ||
           now_ >= last_start_ + longest_endless;
}

void World::handle(const Event& event) {
    Node& node = nodes_[event.node];
    policy::Outbox out;
    switch (event.kind) {
        case Kind::message: {
            Letter letter = std::move(letters_[event.what]);
            free_letters_.push_back(event.what);
            if (node.up) {
                if (node.daemon->agent().wants_count(letter.message, std::llround(now_))) {
                    node.daemon->recount(observation(event.node), std::llround(now_));
                }
                node.daemon->receive(letter.from, letter.message, std::llround(now_), out);
                deliver(event.node, out);
            }
            break;
        }
        case Kind::tick:
            if (node.up && node.tick_at == event.time) {
                node.daemon->tick(std::llround(now_), out);
                node.tick_at = -1;
                deliver(event.node, out);
            }
            break;
        case Kind::observe:
            if (node.up && event.what == node.life) {
                observe(event.node);
                push(now_ + period, Kind::observe, event.node, node.life);
            }
            break;
        case Kind::start:
            if (node.up) {
                add_job(event.node, static_cast<Index>(event.what));
            } else {
                lose(static_cast<Index>(event.what));
            }
            break;
        case Kind::complete:
            if (event.what == node.version) {
                complete(event.node);
            }
            break;
        case Kind::arrive:
            arrive(event.node, static_cast<Index>(event.what));
            break;
        case Kind::notice:
            notice(event.node, static_cast<Index>(event.what));
            break;
        case Kind::crash:
            crash(event.node);
            push(now_ + back_after, Kind::back, event.node);
            break;
        case Kind::back:
            node.up = true;
            node.brought_to = now_;
            boot(event.node);
            push(now_ - std::log(1 - uniform()) * 60000 / scenario_.churn, Kind::crash, event.node);
            break;
        case Kind::look:
            look();
            push(now_ + (nodes_.size() > 1000 ? 250 : 50), Kind::look, 0);
            break;
    }
}

void World::deliver(Index from, policy::Outbox& out) {
    for (auto& [to, message] : out.messages) {
        messages_++;
        told_ += message.loads.size() + 1;
        if (uniform() < scenario_.loss) {
            continue;
        }
        std::uint64_t slot = letters_.size();
        if (free_letters_.empty()) {
            letters_.emplace_back();
        } else {
            slot = free_letters_.back();
            free_letters_.pop_back();
        }
        letters_[slot] = {from + 1, std::move(message)};
        push(now_ + scenario_.delay_ms * (0.5 + uniform()), Kind::message, to - 1, slot);
    }
    for (const policy::Move& move : out.moves) {
        begin_move(from, static_cast<Index>(move.id - 1), move.target - 1);
    }
    out.messages.clear();
    out.moves.clear();
    schedule_tick(from);
}

void World::schedule_tick(Index index) {
    Node& node = nodes_[index];
    const double due = std::max(now_, static_cast<double>(node.daemon->agent().next()));
    if (node.tick_at < 0 || due < node.tick_at) {
        node.tick_at = due;
        push(due, Kind::tick, index);
    }
}

policy::Observation World::observation(Index index) {
    constexpr double speed_unit = 10000;
    constexpr policy::Pages memory = 1U << 20U;  // 4 GiB
    Node& node = nodes_[index];
    advance(index);
    policy::Observation seen;
    seen.load.cpus = node.spec.cpus;
    seen.load.speed = static_cast<std::uint32_t>(speed_unit * node.spec.measured);
    seen.load.tmem = memory;
    const policy::Pages pages = policy::Pages{scenario_.job_mb} * 256;
    seen.load.mem = memory - std::min<policy::Pages>(memory, pages * node.jobs.size());
    seen.spare_swap = memory;
    seen.other = scenario_.background * uniform();
    for (const Index id : node.jobs) {
        const Job& job = jobs_[id];
        policy::ProcessView view;
        view.id = id + 1;
        view.start = id + 1;
        view.home = job.spec.home == index ? 0 : job.spec.home + 1;
        view.demand = scenario_.jitter > 0 ? seen_demand(job, node.looked) : 1;
        view.demand *= view.home != 0 ? 1 - scenario_.guests_wait : 1;
        view.age = std::llround(std::max(0.0, now_ - job.spec.start_ms));
        view.cpu_time = std::llround(job.used_ms);
        view.pages = pages;
        seen.processes.push_back(view);
    }
    if (uniform() < scenario_.visitors) {
        constexpr policy::TaskId first_visitor = 1'000'000'000;
        policy::ProcessView view;
        view.id = first_visitor + static_cast<policy::TaskId>(visitors_++);
        view.start = 1;
        view.demand = 1;
        view.age = std::llround(50 * uniform());
        view.cpu_time = view.age;
        view.pages = pages;
        seen.processes.push_back(view);
    }
    node.looked = now_;
    return seen;
}

// Less than its due: it waits now and then, and a guest is counted from when it came.
double World::seen_demand(const Job& job, double looked) {
    constexpr double waits = 0.3;
    double share = 1 - scenario_.jitter * uniform();
    if (uniform() < scenario_.jitter / 10) {
        share = waits * uniform();
    }
    const double span = now_ - looked;
    const bool came = job.at != job.spec.home && job.since > looked && span > 0;
    return came ? share * (now_ - job.since) / span : share;
}

void World::observe(Index index) {
    policy::Outbox out;
    const auto seen = observation(index);
    nodes_[index].daemon->observe(seen, std::llround(now_), out);
    deliver(index, out);
    if (scenario_.policy == Policy::naive) {
        naive(index, seen);
    }
}

// As many balancers begin: whoever has more than the least loaded node known gives it one.
void World::naive(Index index, const policy::Observation& seen) {
    const policy::Agent& agent = nodes_[index].daemon->agent();
    const policy::NodeLoad own = agent.own_load();
    const policy::Members::Known* best = nullptr;
    for (const policy::Members::Known& known : agent.members().loads()) {
        if (best == nullptr || load_of(known.entry.load) < load_of(best->entry.load)) {
            best = &known;
        }
    }
    if (best != nullptr && !seen.processes.empty() && own.runnable > own.cpus &&
        load_of(best->entry.load) < load_of(own)) {
        const auto which = random_() % seen.processes.size();
        begin_move(index, static_cast<Index>(seen.processes[which].id - 1),
                   best->entry.load.id - 1);
    }
}

Outcome World::outcome() const {
    Outcome result = result_;
    result.balanced_s = balanced_at_ < 0 ? -1 : (balanced_at_ - last_start_) / 1000;
    result.nearly_s = nearly_at_ < 0 ? -1 : (nearly_at_ - last_start_) / 1000;
    result.moves_to_balance = balanced_at_ < 0 ? result.moves : moves_at_balance_;
    if (balanced_at_ >= 0) {
        result.watched_s = ((disturbed_at_ >= 0 ? disturbed_at_ : now_) - balanced_at_) / 1000;
    }
    std::vector<NodeSpec> specs;
    std::vector<std::uint32_t> counts(nodes_.size());
    std::vector<JobSpec> jobs;
    double slow = 0;
    std::size_t ended = 0;
    for (const Node& node : nodes_) {
        specs.push_back(node.spec);
        result.refused += node.daemon->agent().counters().refused;
        result.steps += static_cast<double>(node.daemon->steps());
        result.remembered += static_cast<double>(node.daemon->agent().members().loads().size());
    }
    for (const Job& job : jobs_) {
        counts[job.spec.home]++;
        if (job.lost) {
            continue;
        }
        jobs.push_back(job.spec);
        jobs.back().start_ms -= 10000;
        if (job.ended >= 0) {
            ended++;
            slow += (job.ended - job.spec.start_ms) / job.spec.work_ms;
        }
    }
    result.least_moves = least_moves(specs, counts);
    // Of a run that was broken off it would be the time of the limit.
    if (scenario_.work_s > 0 && ended > 0 && alive_ == 0) {
        result.optimum_s = least_makespan(specs, jobs);
        result.makespan_s = (last_end_ - 10000) / 1000;
        result.slowdown = slow / static_cast<double>(ended);
    }
    const double node_seconds = now_ / 1000 * static_cast<double>(nodes_.size());
    result.messages = static_cast<double>(messages_) / node_seconds;
    result.loads = static_cast<double>(told_) / node_seconds;
    result.steps = (result.steps + static_cast<double>(steps_)) / node_seconds;
    result.remembered /= static_cast<double>(nodes_.size());
    result.simulated_s = now_ / 1000;
    return result;
}

}  // namespace mosrig::simulate
