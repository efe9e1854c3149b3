// SPDX-License-Identifier: MIT
#include "harness/cluster/ready.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <sstream>

#include "harness/base/fd.h"
#include "harness/console/console.h"

namespace mosrig {

namespace {

// The one wait before calibration: it has to fit an emulated node with every debug option on a
// busy host of two CPUs. A node that dies ends the wait at once.
constexpr Millis boot_limit(180'000);
constexpr Millis debug_boot_limit(600'000);
constexpr Millis link_limit(120'000);
// The hypervisor is asked less often than the console is read.
constexpr Millis look_interval(1000);
constexpr unsigned console_lines = 15;
constexpr int calibration_rounds = 3;
// Idle links that omd keeps to each peer.
constexpr long links_per_peer = 4;

tl::unexpected<Error> boot_error(const Node& node, std::string what) {
    const auto tail = node.console().tail(console_lines);
    if (tail && !tail->empty()) {
        what += "; the end of its console:\n" + *tail;
    }
    return tl::unexpected(Error{ErrorKind::boot, std::move(what),
                                fmt::format("the whole: {}", node.console().file().string()),
                                node.name(), 0});
}

Result<void> wait_for_console(const Node& node, const Deadline& deadline,
                              const StillRuns& still_runs) {
    Clock::time_point next_look = Clock::now() + look_interval;
    auto done = wait_until(
        deadline,
        [&]() -> Result<bool> {
            if (Clock::now() > next_look) {
                if (const auto runs = still_runs(node); !runs) {
                    return boot_error(node, runs.error().message());
                }
                next_look = Clock::now() + look_interval;
            }
            const auto text = read_text_file(node.console().file());
            if (!text) {
                return false;
            }
            for (const KernelReport& report : find_kernel_reports(*text)) {
                if (report.kind == ReportKind::panic || report.kind == ReportKind::oops) {
                    return boot_error(node, "its kernel died: " + report.line);
                }
            }
            return text->find(ready_line) != std::string::npos;
        },
        Millis(50));
    if (!done && done.error().kind == ErrorKind::timeout) {
        return boot_error(node, done.error().what);
    }
    return done;
}

Result<void> wait_for_login(Node& node, const Deadline& deadline) {
    Error last;
    auto done = wait_until(
        deadline,
        [&]() -> Result<bool> {
            auto connected = node.connect(
                Deadline("the node's sshd", std::min(deadline.remaining(), Millis(30'000))));
            if (!connected) {
                last = connected.error();
            }
            return connected.has_value();
        },
        Millis(100));
    if (!done) {
        return boot_error(node, done.error().what + "; " + last.what);
    }
    return done;
}

// The counter `name` in "name value" lines.
long counter(const std::string& text, const std::string& name) {
    std::istringstream lines(text);
    std::string word;
    long value = 0;
    while (lines >> word >> value) {
        if (word == name) {
            return value;
        }
    }
    return 0;
}

Result<void> wait_for_links(Node& node, long peers, const Deadline& deadline) {
    const auto probe = node.read_file("/proc/self/where", deadline);
    // Another kernel than ours has no links to wait for.
    if (!probe || peers == 0) {
        return {};
    }
    std::string seen = "omd has not started";
    auto done = wait_until(
        deadline,
        [&]() -> Result<bool> {
            const auto stats = node.read_file("/run/openmosix/omd.stats", deadline);
            if (!stats) {
                return false;
            }
            const long links = counter(*stats, "links_added");
            seen = fmt::format("{} of {} links", links, peers * links_per_peer);
            return links >= peers * links_per_peer;
        },
        Millis(100));
    if (!done) {
        return boot_error(node, fmt::format("{}: {}", done.error().what, seen));
    }
    return done;
}

Result<void> wait_for_node(Node& node, long peers, Millis limit, const StillRuns& still_runs,
                           const Progress& progress) {
    const Deadline boot("the node to boot", limit);
    MOSRIG_CHECK(wait_for_console(node, boot, still_runs));
    progress(node.name() + ": booted");
    MOSRIG_CHECK(wait_for_login(node, boot));
    progress(node.name() + ": logged in");
    MOSRIG_CHECK(wait_for_links(node, peers, Deadline("links to the other nodes", link_limit)));
    progress(node.name() + ": linked");
    return {};
}

}  // namespace

Result<void> wait_ready(std::vector<Node>& nodes, bool debug_kernel, const StillRuns& still_runs,
                        const Progress& progress) {
    const Millis limit = debug_kernel ? debug_boot_limit : boot_limit;
    const long peers = static_cast<long>(nodes.size()) - 1;
    std::vector<std::future<Result<void>>> waits;
    waits.reserve(nodes.size());
    for (Node& node : nodes) {
        waits.push_back(
            std::async(std::launch::async, [&node, peers, limit, &still_runs, &progress] {
                return wait_for_node(node, peers, limit, still_runs, progress);
            }));
    }
    Result<void> all;
    for (auto& wait : waits) {
        Result<void> one = wait.get();
        if (all && !one) {
            all = std::move(one);
        }
    }
    return all;
}

Result<Calibration> calibrate(Node& node) {
    // The shortest of a few: the nodes are still busy with the end of their boot.
    long long best = 0;
    for (int round = 0; round < calibration_rounds; ++round) {
        MOSRIG_TRY(const CommandResult result,
                   node.run({"/usr/local/lib/mosrig/mosrig-run", "calibrate"}, "",
                            Deadline("the calibration", Millis(120'000))));
        long long measured = 0;
        std::from_chars(result.out.data(), result.out.data() + result.out.size(), measured);
        if (!result.ok() || measured <= 0) {
            return infra_error(
                fmt::format("{}: the calibration failed: {}", node.name(), result.err));
        }
        best = best == 0 ? measured : std::min(best, measured);
    }
    return Calibration::from_probe(std::chrono::microseconds(best));
}

}  // namespace mosrig
