// SPDX-License-Identifier: MIT
#include "harness/conformance/refusals.h"

#include <fmt/format.h>

#include "harness/conformance/aftermath.h"
#include "harness/conformance/node_status.h"

namespace mosrig {

namespace {

constexpr const char* mapping_limit = "/proc/sys/vm/max_map_count";
constexpr const char* few_mappings = "1000";
constexpr const char* block = "/proc/hpc/admin/block";

// Asks for a move to a node that takes nobody. Either that node says so, as the process is on its
// way to it, or home does, and then nothing happens. Gives whether it was on its way.
Result<bool> expect_refused(Stage& stage, Subject& subject, Machine& machine) {
    MOSRIG_TRY(const Refusal refusal, ask_in_vain(stage, subject.pid(), machine.id()));
    const bool on_its_way = refusal.on_its_way;
    stage.check(fmt::format("a blocked node is no place to go on to, says {}",
                            on_its_way ? "that node" : "home"),
                refusal.errno_name == "ECONNREFUSED", refusal.errno_name);
    MOSRIG_TRY(const Settled settled, settle(stage, subject));
    stage.check(on_its_way ? "who was on his way is at home" : "who was away is there still",
                settled.outcome == (on_its_way ? Outcome::at_home : Outcome::away),
                to_string(settled.outcome));
    return on_its_way;
}

Result<void> play_with_block(Stage& stage, Subject& subject, Machine& machine) {
    MOSRIG_TRY(const bool came_home, expect_refused(stage, subject, machine));
    MOSRIG_CHECK(await_blocked(stage, machine, true));
    if (came_home) {
        MOSRIG_CHECK(move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    }
    MOSRIG_TRY(const bool tried, expect_refused(stage, subject, machine));
    stage.check("who knows that a node is blocked sends nobody there", !tried);
    return {};
}

}  // namespace

Result<void> with_few_mappings(Stage& stage, Machine& machine,
                               const std::function<Result<void>()>& played) {
    MOSRIG_TRY(const std::string usual, stage.read_text(machine, mapping_limit));
    MOSRIG_CHECK(stage.write_text(machine, mapping_limit, few_mappings));
    Result<void> result = played();
    MOSRIG_CHECK(stage.write_text(machine, mapping_limit, usual));
    return result;
}

Result<void> play_blocked(Stage& stage, const Run& run) {
    Machine& machine = *stage.machines().at(2);
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    MOSRIG_CHECK(stage.write_text(machine, block, "1"));
    const Result<void> played = play_with_block(stage, subject, machine);
    // Word of the block that is still under way would refuse the next case.
    const Result<void> heard = await_blocked(stage, machine, true);
    MOSRIG_CHECK(stage.write_text(machine, block, "0"));
    MOSRIG_CHECK(played);
    MOSRIG_CHECK(heard);
    MOSRIG_CHECK(await_blocked(stage, machine, false));
    return subject.program().kill(stage.soon("the end of the program"));
}

}  // namespace mosrig
