// SPDX-License-Identifier: MIT
//
// The node daemon goes, comes back, has another key than the others, and finds them without a map:
// no process that is away notices.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "harness/conformance/fault_point.h"
#include "harness/conformance/node_status.h"
#include "harness/conformance/printed.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis daemon_time(60000);
constexpr const char* script = "/etc/init.d/openmosix";
constexpr const char* stats_file = "/run/openmosix/omd.stats";

Result<void> run_ok(Stage& stage, Machine& machine, const std::string& what,
                    const std::vector<std::string>& argv) {
    MOSRIG_TRY(const CommandResult result, machine.run(argv, stage.deadline(what, daemon_time), 0));
    return stage.require(fmt::format("{} on {}", what, machine.name()), result.ok(),
                         result.out + result.err);
}

Result<void> run_everywhere(Stage& stage, const std::string& what,
                            const std::vector<std::string>& argv) {
    for (Machine* machine : stage.machines()) {
        MOSRIG_CHECK(run_ok(stage, *machine, what, argv));
    }
    return {};
}

Result<bool> is_up(Stage& stage, Machine& machine, int node) {
    const Result<int> status = read_node_status(stage, machine, node);
    const Result<std::string> load =
        stage.read_text(machine, fmt::format("/proc/hpc/nodes/{}/load", node));
    if (!status || !load) {
        return false;  // it is not configured yet
    }
    return (*status & node_up) != 0 && !load->starts_with('-');
}

// Each node has heard of each.
Result<void> await_all_up(Stage& stage, const std::string& when) {
    const Result<bool> all = comes_true(
        stage.deadline("word of all nodes " + when, daemon_time),
        [&]() -> Result<bool> {
            for (Machine* machine : stage.machines()) {
                for (Machine* other : stage.machines()) {
                    MOSRIG_TRY(const bool heard, is_up(stage, *machine, other->id()));
                    if (!heard) {
                        return false;
                    }
                }
            }
            return true;
        },
        Millis(200));
    MOSRIG_CHECK(all);
    return stage.require("all nodes are up for each other " + when, *all);
}

Result<void> expect_still_away(Stage& stage, Subject& subject, std::int64_t moves,
                               const std::string& when) {
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subject.pid(), stage.soon("its state")));
    stage.check(fmt::format("it is where it was, {}", when),
                state.where == stage.guest().id() && state.nmigs == moves,
                fmt::format("where {}, nmigs {}", state.where, state.nmigs));
    return expect_intact(stage, subject, when);
}

Result<std::int64_t> moves_of(Stage& stage, const Subject& subject) {
    return read_process(stage.home(), subject.pid(), stage.soon("its state"))
        .map([](const ProcessState& state) { return state.nmigs; });
}

// Home, and out again: over links of the daemons that run now.
Result<void> expect_moves(Stage& stage, Subject& subject, const std::string& when) {
    MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, true));
    MOSRIG_CHECK(expect_intact(stage, subject, "home " + when));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    return expect_intact(stage, subject, "away " + when);
}

Result<void> restart(Stage& stage, Subject& subject) {
    MOSRIG_TRY(const std::int64_t moves, moves_of(stage, subject));
    MOSRIG_CHECK(run_everywhere(stage, "the daemon restarts", {script, "restart"}));
    MOSRIG_CHECK(expect_still_away(stage, subject, moves, "after restarts"));
    MOSRIG_CHECK(await_all_up(stage, "after restarts"));
    return expect_moves(stage, subject, "after restarts");
}

// Killed, it leaves its pid, its socket, and links that nobody looks after.
Result<void> kill(Stage& stage, Subject& subject) {
    MOSRIG_TRY(const std::int64_t moves, moves_of(stage, subject));
    for (Machine* machine : stage.machines()) {
        MOSRIG_CHECK(run_ok(stage, *machine, "the daemon is killed",
                            {"sh", "-c", "kill -9 $(cat /run/omd.pid)"}));
        MOSRIG_TRY(const CommandResult status,
                   machine->run({script, "status"}, stage.deadline("the status", daemon_time), 0));
        constexpr int not_running = 3;
        stage.check(fmt::format("the init script of {} knows", machine->name()),
                    status.status == not_running, fmt::format("{}: {}", status.status, status.out));
    }
    MOSRIG_CHECK(expect_still_away(stage, subject, moves, "without any daemon"));
    MOSRIG_CHECK(run_everywhere(stage, "the daemon is started again", {script, "start"}));
    MOSRIG_CHECK(expect_still_away(stage, subject, moves, "with new daemons"));
    MOSRIG_CHECK(await_all_up(stage, "with new daemons"));
    return expect_moves(stage, subject, "with new daemons");
}

Result<std::int64_t> refused_for_the_key(Stage& stage) {
    MOSRIG_TRY(const std::string text, stage.read_text(stage.home(), stats_file));
    return std::max<std::int64_t>(0, number_after(text, "refused_key ")) +
           std::max<std::int64_t>(0, number_after(text, "packets_key "));
}

// It is refused, counted, and down for the others, until it has the right one.
Result<void> have_another_key(Stage& stage, Subject& subject) {
    MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, true));
    MOSRIG_TRY(const std::int64_t before, refused_for_the_key(stage));
    MOSRIG_CHECK(run_ok(stage, stage.guest(), "the daemon gets another key",
                        {"sh", "-c",
                         "cd /etc/openmosix && mv key key.right && umask 077 && "
                         "head -c 32 /dev/urandom >key && /etc/init.d/openmosix restart"}));
    std::int64_t after = before;
    bool seen_up = true;
    const Result<bool> refused = comes_true(
        stage.deadline("a refusal of the key", daemon_time),
        [&]() -> Result<bool> {
            MOSRIG_TRY(after, refused_for_the_key(stage));
            MOSRIG_TRY(seen_up, is_up(stage, stage.home(), stage.guest().id()));
            return after > before && !seen_up;
        },
        Millis(200));
    MOSRIG_CHECK(refused);
    stage.check("a node with another key is refused, and counted", after > before,
                fmt::format("{} before, {} after", before, after));
    stage.check("it is down for the others", !seen_up);
    MOSRIG_TRY(const MoveAnswer answer,
               request_by_tool(stage.home(), subject.pid(), stage.guest().id(), 0,
                               stage.deadline("migrate", daemon_time)));
    stage.check("nothing moves to it", answer.seen == Answer::refused, answer.message);
    MOSRIG_CHECK(expect_intact(stage, subject, "with a stranger in the map"));
    MOSRIG_CHECK(run_ok(stage, stage.guest(), "the daemon has its key again",
                        {"sh", "-c",
                         "cd /etc/openmosix && mv key.right key && "
                         "/etc/init.d/openmosix restart"}));
    MOSRIG_CHECK(await_all_up(stage, "with the right key"));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    return expect_intact(stage, subject, "away with the right key");
}

// The nodes' addresses end so that their ids are those of the map.
Result<void> find_each_other(Stage& stage, Subject& subject) {
    MOSRIG_TRY(const std::int64_t moves, moves_of(stage, subject));
    MOSRIG_CHECK(run_everywhere(stage, "there is no map, and the daemon is to do without",
                                {"sh", "-c",
                                 "mv /etc/openmosix.map /etc/openmosix.map.away && "
                                 "printf 'discovery = announce\\ninterface = eth1\\n' "
                                 ">/etc/openmosix/omd.conf && /etc/init.d/openmosix restart"}));
    MOSRIG_CHECK(await_all_up(stage, "without a map"));
    MOSRIG_CHECK(expect_still_away(stage, subject, moves, "without a map"));
    MOSRIG_CHECK(expect_moves(stage, subject, "without a map"));
    MOSRIG_CHECK(run_everywhere(stage, "there is a map again",
                                {"sh", "-c",
                                 "rm /etc/openmosix/omd.conf && "
                                 "mv /etc/openmosix.map.away /etc/openmosix.map && "
                                 "/etc/init.d/openmosix restart"}));
    MOSRIG_CHECK(await_all_up(stage, "with a map again"));
    return expect_moves(stage, subject, "with a map again");
}

}  // namespace

Result<void> play_daemon(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState state,
               expect_before_request(stage, subject.pid(), run.phases.front()));
    show(stage.result, state);
    // Half of this would leave the nodes without a daemon, a key or a map.
    stage.nodes_used_up = true;
    MOSRIG_CHECK(move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    MOSRIG_CHECK(restart(stage, subject));
    MOSRIG_CHECK(kill(stage, subject));
    MOSRIG_CHECK(have_another_key(stage, subject));
    MOSRIG_CHECK(find_each_other(stage, subject));
    MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, true));
    stage.result.seen = Answer::moves;
    MOSRIG_TRY(const int status, subject.finish(stage.deadline("its end", daemon_time)));
    stage.check("it ends with status 0", status == 0, std::to_string(status));
    stage.nodes_used_up = false;
    return {};
}

}  // namespace mosrig
