// SPDX-License-Identifier: GPL-2.0-only
// migrate: moves a process to another node or home. See migrate(1).
#include <fmt/format.h>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "common/file.h"
#include "common/guarded.h"
#include "common/map.h"
#include "common/own_node.h"
#include "migrate/options.h"
#include "migrate/request.h"
#include "openmosix.h"

namespace {

using namespace mosrig;
using Clock = std::chrono::steady_clock;

enum Exit { kMoved = 0, kRefused = 1, kUsage = 2, kPending = 4 };

constexpr std::chrono::milliseconds kFirstPause{2};
constexpr std::chrono::milliseconds kLongestPause{50};

int refuse(const std::string& text) {
    fmt::print(stderr, "migrate: {}\n", text);
    return kRefused;
}

// Node number of the target, 0 for home.
Result<long> resolve_target(const std::string& target) {
    if (target == "home") {
        return 0;
    }
    if (const auto number = parse_number(target, OM_MAX_NODE)) {
        return *number;
    }
    const auto nodes = load_map(kMapPath, kHostsPath);
    if (!nodes) {
        return fail(fmt::format("cannot look up node '{}': {}", target, nodes.error().text));
    }
    const auto hosts = parse_hosts(read_text(kHostsPath).value_or(""));
    if (const auto id = find_node(target, *nodes, hosts)) {
        return *id;
    }
    return fail(fmt::format("ENXIO: there is no node '{}' in {}", target, kMapPath));
}

// A node's own number means home to its processes.
bool is_this_node(long target) {
    const auto nodes = load_map(kMapPath, kHostsPath);
    const auto own = nodes ? own_node(*nodes) : std::nullopt;
    return own && own->id == target;
}

std::string name_of(long target) {
    return target == 0 ? "home" : fmt::format("to node {}", target);
}

int request_failed(const Process& process, long target, int code) {
    return refuse(fmt::format("{} {}: {}", process.pid(), name_of(target),
                              refusal_sentence(code, process.reasons())));
}

int report(const Process& process, long target, Outcome outcome, const Sight& sight) {
    const pid_t pid = process.pid();
    switch (outcome) {
        case Outcome::moved:
        case Outcome::waiting:
            return kMoved;
        case Outcome::passed:
            fmt::print("migrate: {} went {} and has come home again ({})\n", pid, name_of(target),
                       sight.home_reason);
            return kMoved;
        case Outcome::refused:
            return request_failed(process, target, sight.error);
        case Outcome::dropped:
            return refuse(
                fmt::format("{} {}: ECANCELED: the request is no longer pending, "
                            "another one took its place",
                            pid, name_of(target)));
        case Outcome::ended:
            return refuse(fmt::format("{} {}: ESRCH: the process ended before it was seen there",
                                      pid, name_of(target)));
    }
    return kRefused;
}

int wait_for(const Process& process, long target, const Sight& before, Clock::duration patience) {
    const auto deadline = Clock::now() + patience;
    auto pause = kFirstPause;
    unsigned dropped = 0;
    for (;;) {
        const Sight now = look_at(process);
        const Outcome outcome = judge(before, now, target);
        // The files are read one by one: what looks dropped once may be a move in between.
        dropped = outcome == Outcome::dropped ? dropped + 1 : 0;
        if (outcome != Outcome::waiting && (outcome != Outcome::dropped || dropped > 2)) {
            return report(process, target, outcome, now);
        }
        if (Clock::now() >= deadline) {
            break;
        }
        std::this_thread::sleep_for(std::min<Clock::duration>(pause, deadline - Clock::now()));
        pause = std::min(pause * 2, kLongestPause);
    }
    fmt::print(stderr,
               "migrate: {} {}: still pending after {} s, it {}; the request stays queued\n",
               process.pid(), name_of(target), std::chrono::duration<double>(patience).count(),
               process.activity());
    return kPending;
}

int run(const MigrateOptions& options) {
    const Process process(options.pid);
    if (options.target == "balance") {
        return refuse("this kernel has no load balancer; name a node, or home");
    }
    const auto target = resolve_target(options.target);
    if (!target) {
        return refuse(target.error().text);
    }
    if (!process.stat()) {
        return request_failed(process, *target, ESRCH);
    }
    const Sight before = look_at(process);
    if (const auto written = process.write("goto", fmt::format("{}\n", *target)); !written) {
        if (written.error().code == ENOENT && process.stat()) {
            return refuse("this kernel is no openMosix kernel, or /proc is not mounted");
        }
        const bool gone = written.error().code == ENOENT;
        if (written.error().code == EALREADY && before.where > 0 && before.state == "away" &&
            before.pending == 0) {
            return refuse(fmt::format("{} {}: EALREADY: it is on node {}, bring it home first",
                                      options.pid, name_of(*target), before.where));
        }
        return request_failed(process, *target, gone ? ESRCH : written.error().code);
    }
    const long place = is_this_node(*target) ? 0 : *target;
    if (is_there(before, place)) {
        return kMoved;
    }
    if (process.is_own_ancestor()) {
        fmt::print("migrate: {} {}: queued, it moves when it goes on\n", options.pid,
                   name_of(*target));
        return kMoved;
    }
    return wait_for(process, place, before, options.patience);
}

int start(int argc, char** argv) {
    const auto options = parse_migrate_options({argv + 1, argv + argc});
    if (!options) {
        fmt::print(stderr, "migrate: {}\nusage: migrate [-t SEC] PID NODE|home|balance\n",
                   options.error().text);
        return kUsage;
    }
    return run(*options);
}

}  // namespace

int main(int argc, char** argv) {
    return guarded("migrate", kRefused, [&] { return start(argc, argv); });
}
