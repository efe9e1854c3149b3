// SPDX-License-Identifier: MIT
//
// Who is not of the cluster: packets heard on the wire and sent again, forged, from elsewhere, and
// nonsense. All of it is counted by cause, and none of it has an effect.
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <sstream>

#include "harness/conformance/node_status.h"
#include "harness/conformance/printed.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis attack_time(30000);
constexpr const char* stats_file = "/run/openmosix/omd.stats";
constexpr const char* map_file = "/etc/openmosix.map";

using Counters = std::map<std::string, std::int64_t>;

struct Attack {
    const char* mode;  // of the program
    const char* what;
    std::vector<std::string> counters;  // one of these counts each try
};

const std::vector<Attack>& attacks() {
    static const std::vector<Attack> all{
        {"replay",
         "packets of the cluster, sent again",
         {"packets_replay", "packets_garbage", "packets_key"}},
        {"forge",
         "packets of the cluster with one bit turned",
         {"packets_key", "packets_garbage", "packets_version", "packets_replay"}},
        {"elsewhere",
         "packets of the cluster from an address of none of its nodes",
         {"packets_stranger"}},
        {"garbage",
         "datagrams of random bytes",
         {"packets_garbage", "packets_version", "packets_key"}},
        {"links", "connections that say nothing or nonsense", {"refused"}},
    };
    return all;
}

Result<Counters> read_counters(Stage& stage) {
    MOSRIG_TRY(const std::string text, stage.read_text(stage.home(), stats_file));
    Counters counters;
    std::istringstream lines(text);
    std::string name;
    for (std::int64_t value = 0; lines >> name >> value;) {
        counters[name] = value;
    }
    return counters;
}

std::int64_t sum_of(const Counters& counters, const std::vector<std::string>& names) {
    std::int64_t sum = 0;
    for (const std::string& name : names) {
        const auto found = counters.find(name);
        sum += found == counters.end() ? 0 : found->second;
    }
    return sum;
}

// Of a node, from the map: "ID ADDRESS COUNT".
Result<std::string> address_of(Stage& stage, const Machine& machine) {
    MOSRIG_TRY(const std::string text, stage.read_text(stage.home(), map_file));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        int id = 0;
        std::string address;
        if (words >> id >> address && id == machine.id()) {
            return address;
        }
    }
    return infra_error(fmt::format("{} does not name {}", map_file, machine.name()));
}

Result<void> expect_no_effect(Stage& stage, const Attack& attack) {
    for (const Machine* machine : stage.machines()) {
        MOSRIG_TRY(const int status, read_node_status(stage, stage.home(), machine->id()));
        stage.check(fmt::format("{} is still up after {}", machine->name(), attack.what),
                    (status & node_up) != 0, std::to_string(status));
    }
    return {};
}

Result<void> play_attack(Stage& stage, Machine& stranger, const std::string& target,
                         const Attack& attack) {
    MOSRIG_TRY(const Counters before, read_counters(stage));
    MOSRIG_TRY(const CommandResult result,
               stranger.run(resolve_command({"stranger", attack.mode, target}),
                            stage.deadline(attack.what, attack_time), 0));
    const int sent = std::atoi(result.out.c_str());
    MOSRIG_CHECK(stage.require(fmt::format("{} are sent", attack.what),
                               result.status == 0 && sent > 0, result.out + result.err));
    std::int64_t counted = 0;
    MOSRIG_CHECK(comes_true(
        stage.deadline("the counters of " + stage.home().name(), attack_time),
        [&]() -> Result<bool> {
            MOSRIG_TRY(const Counters now, read_counters(stage));
            counted = sum_of(now, attack.counters) - sum_of(before, attack.counters);
            return counted >= sent;
        },
        Millis(200)));
    stage.check(fmt::format("{} are refused, and counted", attack.what), counted >= sent,
                fmt::format("{} of {}", counted, sent));
    return expect_no_effect(stage, attack);
}

// Sockets of a node in use, of all kinds.
Result<std::int64_t> count_sockets(Stage& stage, Machine& machine) {
    MOSRIG_TRY(const std::string text, stage.read_text(machine, "/proc/net/sockstat"));
    const std::int64_t used = number_after(text, "sockets: used");
    return used >= 0 ? Result<std::int64_t>(used) : infra_error("sockstat reads: " + text);
}

// A connection that was not let in is closed at the latest when its time to prove itself is over.
Result<void> expect_no_socket_left(Stage& stage, std::int64_t before) {
    std::int64_t now = 0;
    MOSRIG_TRY(const bool closed,
               comes_true(
                   stage.deadline("the end of the strangers' connections", attack_time),
                   [&]() -> Result<bool> {
                       MOSRIG_TRY(now, count_sockets(stage, stage.home()));
                       return now <= before;
                   },
                   Millis(200)));
    stage.check("no socket of a stranger's is left", closed,
                fmt::format("{} sockets, {} before", now, before));
    return {};
}

}  // namespace

Result<void> play_strangers(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    Machine& stranger = *stage.machines().back();
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState before,
               expect_before_request(stage, subject.pid(), run.phases.front()));
    show(stage.result, before);
    // A guest is there meanwhile: it is not to notice either.
    MOSRIG_TRY(const ProcessState away,
               move_to(stage, subject.pid(), stage.guest().id(), 0, false));
    MOSRIG_TRY(const std::string target, address_of(stage, stage.home()));
    MOSRIG_TRY(const std::int64_t sockets, count_sockets(stage, stage.home()));
    for (const Attack& attack : attacks()) {
        MOSRIG_CHECK(play_attack(stage, stranger, target, attack));
    }
    MOSRIG_CHECK(expect_no_socket_left(stage, sockets));
    MOSRIG_TRY(const ProcessState after,
               read_process(stage.home(), subject.pid(), stage.soon("its state")));
    stage.check("the process that was away is where it was",
                after.where == away.where && after.nmigs == away.nmigs,
                fmt::format("where {}, nmigs {}", after.where, after.nmigs));
    MOSRIG_CHECK(expect_intact(stage, subject, "away"));
    MOSRIG_CHECK(move_to(stage, subject.pid(), 0, 0, false));
    stage.result.seen = Answer::moves;
    MOSRIG_TRY(const int status, subject.finish(stage.deadline("its end", attack_time)));
    stage.check("it ends with status 0", status == 0, std::to_string(status));
    return {};
}

}  // namespace mosrig
