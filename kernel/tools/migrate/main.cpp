// SPDX-License-Identifier: GPL-2.0-only
// migrate: moves a process to another node or home. See migrate(1).
#include <fmt/format.h>
#include <sys/stat.h>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "common/guarded.h"
#include "common/hpc.h"
#include "common/map.h"
#include "common/omd_client.h"
#include "common/places.h"
#include "migrate/options.h"
#include "migrate/request.h"
#include "openmosix.h"

namespace {

using namespace mosrig;
using Clock = std::chrono::steady_clock;

enum Exit { exit_moved = 0, exit_refused = 1, exit_usage = 2, exit_pending = 4 };

constexpr std::chrono::milliseconds first_pause{2};
constexpr std::chrono::milliseconds longest_pause{50};

int refuse(const std::string& text) {
    fmt::print(stderr, "migrate: {}\n", text);
    return exit_refused;
}

// Node number of the target, 0 for home.
Result<long> resolve_target(const std::string& target) {
    if (target == "home") {
        return 0;
    }
    if (const auto number = parse_number(target, OM_MAX_NODE)) {
        return *number;
    }
    // Of the nodes that the kernel knows: only omd knows whether they come from a map, and from
    // which.
    const auto node = node_meant(target, Hpc(Places()));
    if (node) {
        return node->id;
    }
    const auto& [text, code] = node.error();
    return fail(code == ENXIO ? text : fmt::format("cannot look up node '{}': {}", target, text),
                code);
}

// A node's own number means home to its processes.
bool is_this_node(long target) {
    return target != 0 && Hpc(Places()).self() == target;
}

std::string name_of(long target) {
    return target == 0 ? "home" : fmt::format("to node {}", target);
}

int request_failed(const Process& process, long target, int code, const std::string& reasons) {
    return refuse(
        fmt::format("{} {}: {}", process.pid(), name_of(target), refusal_sentence(code, reasons)));
}

int report(const Process& process, long target, Outcome outcome, const Sight& sight) {
    const pid_t pid = process.pid();
    switch (outcome) {
        case Outcome::moved:
        case Outcome::waiting:
            return exit_moved;
        case Outcome::passed:
            fmt::print("migrate: {} went {} and has come home again ({})\n", pid, name_of(target),
                       sight.home_reason);
            return exit_moved;
        case Outcome::refused:
            // What held it then may have let go of it since.
            return request_failed(process, target, sight.error, reason_of(sight.home_reason));
        case Outcome::dropped:
            return refuse(
                fmt::format("{} {}: ECANCELED: the request is no longer pending, "
                            "another one took its place",
                            pid, name_of(target)));
        case Outcome::ended:
            return refuse(fmt::format("{} {}: ESRCH: the process ended before it was seen there",
                                      pid, name_of(target)));
    }
    return exit_refused;
}

int wait_for(const Process& process, long target, const Sight& before, Clock::duration patience) {
    const auto deadline = Clock::now() + patience;
    auto pause = first_pause;
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
        pause = std::min(pause * 2, longest_pause);
    }
    fmt::print(stderr,
               "migrate: {} {}: still pending after {} s, it {}; the request stays queued\n",
               process.pid(), name_of(target), std::chrono::duration<double>(patience).count(),
               process.activity());
    return exit_pending;
}

bool is_guest(pid_t pid) {
    struct stat info {};
    return ::stat(fmt::format("{}/remote/{}", Places().hpc(), pid).c_str(), &info) == 0;
}

// A guest's home is asked to move it on; what is seen of that here is that it goes.
int wait_for_guest(const Process& process, long target, Clock::duration patience) {
    const auto deadline = Clock::now() + patience;
    while (is_guest(process.pid())) {
        if (Clock::now() >= deadline) {
            fmt::print(
                stderr, "migrate: {} {}: still here after {} s; the request stays with its home\n",
                process.pid(), name_of(target), std::chrono::duration<double>(patience).count());
            return exit_pending;
        }
        std::this_thread::sleep_for(longest_pause);
    }
    return exit_moved;
}

// The node daemon decides, and makes the request itself.
int balance(const Process& process, Clock::duration patience) {
    if (!process.stat()) {
        return refuse(fmt::format("{}: {}", process.pid(), refusal_sentence(ESRCH, "")));
    }
    const Sight before = look_at(process);
    const auto answer = ask_omd(Places().omd_socket(), fmt::format("balance {}", process.pid()));
    if (!answer) {
        const int code = answer.error().code;
        return refuse(code == ENOENT || code == ECONNREFUSED
                          ? "no balancer runs on this node: omd does not; start it: "
                            "/etc/init.d/openmosix start"
                          : answer.error().text);
    }
    if (!field(*answer, "ok", false)) {
        return refuse(fmt::format("{} stays: {}: {}", process.pid(),
                                  field(*answer, "reason", std::string("unknown")),
                                  field(*answer, "text", std::string("no reason given"))));
    }
    const long target = field(*answer, "target", 0L);
    const long place = is_this_node(target) ? 0 : target;
    if (is_there(before, place) || process.is_own_ancestor()) {
        return exit_moved;
    }
    return wait_for(process, place, before, patience);
}

int run(const MigrateOptions& options) {
    const Process process(options.pid);
    if (options.target == "balance") {
        return balance(process, options.patience);
    }
    const auto target = resolve_target(options.target);
    if (!target) {
        return refuse(target.error().text);
    }
    if (!process.stat()) {
        return request_failed(process, *target, ESRCH, "");
    }
    const bool guest = is_guest(options.pid);
    if (guest && is_this_node(*target)) {
        // To its home this node's number is a place like others, and it is there.
        return exit_moved;
    }
    const Sight before = look_at(process);
    if (const auto written = process.write("goto", fmt::format("{}\n", *target)); !written) {
        if (written.error().code == ENOENT && process.stat()) {
            return refuse("this kernel is no openMosix kernel, or /proc is not mounted");
        }
        const bool gone = written.error().code == ENOENT;
        return request_failed(process, *target, gone ? ESRCH : written.error().code,
                              process.reasons());
    }
    if (guest) {
        return wait_for_guest(process, *target, options.patience);
    }
    const long place = is_this_node(*target) ? 0 : *target;
    if (is_there(before, place)) {
        return exit_moved;
    }
    if (process.is_own_ancestor()) {
        fmt::print("migrate: {} {}: queued, it moves when it goes on\n", options.pid,
                   name_of(*target));
        return exit_moved;
    }
    return wait_for(process, place, before, options.patience);
}

int start(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        fmt::print("{}", migrate_usage);
        return exit_moved;
    }
    const auto options = parse_migrate_options({argv + 1, argv + argc});
    if (!options) {
        fmt::print(stderr, "migrate: {}\n{}", options.error().text, migrate_usage);
        return exit_usage;
    }
    return run(*options);
}

}  // namespace

int main(int argc, char** argv) {
    return guarded("migrate", exit_refused, [&] { return start(argc, argv); });
}
