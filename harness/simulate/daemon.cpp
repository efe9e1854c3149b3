// SPDX-License-Identifier: MIT
#include "harness/simulate/daemon.h"

#include <ctime>
#include <utility>

namespace mosrig::simulate {
namespace {

constexpr policy::Millis written_down = 120'000;

std::size_t size_of(const policy::Outbox& out) {
    return out.messages.size() + out.moves.size();
}

policy::Fate fate_of(bool went) {
    return went ? policy::Fate::went : policy::Fate::failed;
}

template <class... Each>
struct Overloaded : Each... {
    using Each::operator()...;
};
template <class... Each>
Overloaded(Each...) -> Overloaded<Each...>;

}  // namespace

double cpu_seconds() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

Daemon::Daemon(DaemonSpec spec, bool recorded)
    : spec_(std::move(spec)),
      agent_(spec_.id, spec_.boot, spec_.seed, spec_.settings),
      recorded_(recorded) {
    agent_.set_roster(spec_.roster);
}

template <class Made>
void Daemon::write_down(policy::Millis now, Made make) {
    steps_++;
    recorded_ = recorded_ && (diary_.empty() || now - diary_.front().now <= written_down);
    if (recorded_) {
        diary_.push_back({now, make()});
    }
}

void Daemon::listen(const policy::Outbox& out, std::size_t before) {
    said_ += recorded_ ? size_of(out) - before : 0;
}

void Daemon::receive(policy::NodeId from, const policy::Message& message, policy::Millis now,
                     policy::Outbox& out) {
    write_down(now, [&] { return Letter{from, message}; });
    const std::size_t before = size_of(out);
    agent_.receive(from, message, now, out);
    listen(out, before);
}

void Daemon::recount(const policy::Observation& seen, policy::Millis now) {
    write_down(now, [&] { return Count{seen}; });
    agent_.recount(seen, now);
}

void Daemon::observe(const policy::Observation& seen, policy::Millis now, policy::Outbox& out) {
    write_down(now, [&] { return Look{seen}; });
    const std::size_t before = size_of(out);
    agent_.observe(seen, now, out);
    listen(out, before);
}

void Daemon::tick(policy::Millis now, policy::Outbox& out) {
    write_down(now, [] { return Tick{}; });
    const std::size_t before = size_of(out);
    agent_.tick(now, out);
    listen(out, before);
}

void Daemon::moved(policy::TaskId id, bool went, policy::Pages pages, policy::Millis took,
                   policy::Millis now, policy::Outbox& out) {
    write_down(now, [&] { return Moved{id, went, pages, took}; });
    const std::size_t before = size_of(out);
    agent_.moved(id, fate_of(went), pages, took, now, out);
    listen(out, before);
}

void Daemon::tell(policy::Agent& agent, const Entry& entry, policy::Outbox& out) {
    const policy::Millis now = entry.now;
    std::visit(
        Overloaded{[&](const Letter& one) { agent.receive(one.from, one.message, now, out); },
                   [&](const Count& one) { agent.recount(one.seen, now); },
                   [&](const Look& one) { agent.observe(one.seen, now, out); },
                   [&](const Tick& /*one*/) { agent.tick(now, out); },
                   [&](const Moved& one) {
                       agent.moved(one.id, fate_of(one.went), one.pages, one.took, now, out);
                   }},
        entry.what);
}

Daemon::Replay Daemon::replay() const {
    Replay replay;
    if (diary_.empty()) {
        return replay;
    }
    policy::Agent agent(spec_.id, spec_.boot, spec_.seed, spec_.settings);
    agent.set_roster(spec_.roster);
    policy::Outbox out;
    const double begin = cpu_seconds();
    for (const Entry& entry : diary_) {
        tell(agent, entry, out);
        replay.said += size_of(out);
        out.messages.clear();
        out.moves.clear();
    }
    replay.cpu_us = (cpu_seconds() - begin) * 1e6;
    replay.seconds = static_cast<double>(diary_.back().now - diary_.front().now) / 1000;
    return replay;
}

}  // namespace mosrig::simulate
