// SPDX-License-Identifier: MIT
// Jobs: work, moves, ends, and whether they are well placed.
#include <algorithm>
#include <cmath>

#include "harness/simulate/world.h"
#include "omd/policy/load.h"

namespace mosrig::simulate {

void World::advance(Index index) {
    Node& node = nodes_[index];
    const double span = now_ - node.brought_to;
    node.brought_to = now_;
    if (span <= 0 || node.jobs.empty()) {
        return;
    }
    const double cpu =
        span * policy::share_of(node.spec.cpus, static_cast<double>(node.jobs.size()));
    for (const Index id : node.jobs) {
        jobs_[id].used_ms += cpu;
        jobs_[id].left_ms -= cpu * node.spec.speed;
    }
}

// Its set of jobs has changed: when will the next one end?
void World::changed(Index index) {
    Node& node = nodes_[index];
    node.version++;
    if (scenario_.work_s <= 0 || node.jobs.empty()) {
        return;
    }
    double least = jobs_[node.jobs.front()].left_ms;
    for (const Index id : node.jobs) {
        least = std::min(least, jobs_[id].left_ms);
    }
    const double rate =
        node.spec.speed * policy::share_of(node.spec.cpus, static_cast<double>(node.jobs.size()));
    push(now_ + std::max(0.0, least) / rate + 1e-6, Kind::complete, index, node.version);
}

void World::add_job(Index node, Index job) {
    advance(node);
    jobs_[job].at = node;
    jobs_[job].since = now_;
    nodes_[node].jobs.push_back(job);
    changed(node);
}

void World::remove_job(Index node, Index job) {
    advance(node);
    std::erase(nodes_[node].jobs, job);
    changed(node);
}

void World::complete(Index index) {
    constexpr double nothing = 1e-3;
    advance(index);
    Node& node = nodes_[index];
    std::erase_if(node.jobs, [&](Index id) {
        Job& job = jobs_[id];
        if (job.left_ms > nothing) {
            return false;
        }
        job.ended = now_;
        last_end_ = now_;
        alive_--;
        any_ended_ = true;
        if (!disturbed_) {
            disturbed_ = true;
            disturbed_at_ = now_;
        }
        return true;
    });
    changed(index);
}

// A node sends one process after the other; each stands still while it is sent.
void World::begin_move(Index from, Index id, Index to) {
    Job& job = jobs_[id];
    Node& node = nodes_[from];
    const bool here = job.at == from && !job.moving && job.ended < 0 && !job.lost;
    if (!here || std::find(node.jobs.begin(), node.jobs.end(), id) == node.jobs.end()) {
        policy::Outbox out;
        node.daemon->moved(id + 1, false, 0, 0, std::llround(now_), out);
        deliver(from, out);
        return;
    }
    result_.moves++;
    if (balanced_at_ >= 0 && !disturbed_) {
        result_.later_moves++;
    }
    remove_job(from, id);
    job.moving = true;
    job.at = to;
    const double send = scenario_.job_mb / scenario_.move_mb_per_s * 1000;
    node.link_free = std::max(now_, node.link_free) + send;
    node.sent[id + 1] = now_;
    push(node.link_free + scenario_.move_fixed_ms, Kind::arrive, from, id);
}

void World::arrive(Index from, Index id) {
    Job& job = jobs_[id];
    if (job.lost) {
        return;
    }
    job.moving = false;
    if (nodes_[job.at].up) {
        add_job(job.at, id);
    } else {
        lose(id);
    }
    if (scenario_.notice_ms > 0) {
        push(now_ + scenario_.notice_ms * uniform(), Kind::notice, from, id);
    } else {
        notice(from, id);
    }
}

// Whoever sent it learns that it is there.
void World::notice(Index from, Index id) {
    const Job& job = jobs_[id];
    Node& node = nodes_[from];
    const auto sent = node.sent.find(id + 1);
    if (!node.up || sent == node.sent.end()) {
        return;
    }
    const auto took = std::llround(now_ - sent->second);
    node.sent.erase(sent);
    policy::Outbox out;
    node.daemon->moved(id + 1, !job.lost, scenario_.job_mb * 256ULL, took, std::llround(now_), out);
    deliver(from, out);
}

void World::lose(Index id) {
    Job& job = jobs_[id];
    if (!job.lost && job.ended < 0) {
        job.lost = true;
        alive_--;
        result_.lost++;
    }
}

// All that ran there dies, and all whose home it was.
void World::crash(Index index) {
    Node& node = nodes_[index];
    advance(index);
    node.up = false;
    node.life++;
    disturbed_ = true;
    disturbed_at_ = disturbed_at_ < 0 ? now_ : disturbed_at_;
    for (Index id = 0; id < jobs_.size(); id++) {
        Job& job = jobs_[id];
        const bool begun = job.spec.start_ms <= now_;
        if (!begun || job.ended >= 0 || job.lost || (job.at != index && job.spec.home != index)) {
            continue;
        }
        if (!job.moving && job.at != index) {
            remove_job(job.at, id);
        }
        lose(id);
    }
    node.jobs.clear();
    changed(index);
}

// Balanced: no job would run faster somewhere else. On unequal nodes, not by more than the
// difference in speed that counts as none. Jobs that end make room whatever the policy does: from
// the first end on there is nothing more to be seen.
void World::look() {
    if (now_ < last_start_ || balanced_at_ >= 0 || any_ended_) {
        return;
    }
    const double tolerance = scenario_.mixed ? policy::same_speed : 1.0;
    double best = 0;
    std::vector<std::size_t> coming(nodes_.size());
    for (const Job& job : jobs_) {
        if (job.moving && !job.lost) {
            coming[job.at]++;
        }
    }
    const auto rate = [&](Index i, double more) {
        const Node& node = nodes_[i];
        return node.spec.speed *
               policy::share_of(node.spec.cpus,
                                static_cast<double>(node.jobs.size() + coming[i]) + more);
    };
    for (Index i = 0; i < nodes_.size(); i++) {
        best = std::max(best, nodes_[i].up ? rate(i, 1) : 0.0);
    }
    std::size_t badly = 0;
    std::size_t moving = 0;
    for (Index i = 0; i < nodes_.size(); i++) {
        moving += coming[i];
        if (best > rate(i, 0) * tolerance * (1 + 1e-9)) {
            // So many of them could gain.
            const double fits = nodes_[i].spec.cpus * nodes_[i].spec.speed * tolerance / best;
            const auto count = static_cast<double>(nodes_[i].jobs.size());
            badly += static_cast<std::size_t>(std::max(0.0, std::ceil(count - fits)));
        }
    }
    if (nearly_at_ < 0 && (badly + moving) * 100 <= alive_) {
        nearly_at_ = now_;
    }
    if (badly == 0 && moving == 0) {
        balanced_at_ = now_;
        moves_at_balance_ = result_.moves;
        // What happened before is no reason not to watch from now on.
        disturbed_ = false;
        disturbed_at_ = -1;
    }
}

}  // namespace mosrig::simulate
