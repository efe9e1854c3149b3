// SPDX-License-Identifier: MIT
#include "harness/conformance/node_status.h"

#include <fmt/format.h>

#include <cstdlib>

namespace mosrig {

namespace {

// Word of a node goes round in its own time.
constexpr Millis hearing_time(30000);

}  // namespace

Result<int> read_node_status(Stage& stage, Machine& machine, int node) {
    MOSRIG_TRY(const std::string text,
               stage.read_text(machine, fmt::format("/proc/hpc/nodes/{}/status", node)));
    return std::atoi(text.c_str());
}

Result<void> await_blocked(Stage& stage, const Machine& node, bool blocked) {
    return wait_until(
        stage.deadline(
            fmt::format("word that {} is {}", node.name(), blocked ? "blocked" : "blocked no more"),
            hearing_time),
        [&]() -> Result<bool> {
            MOSRIG_TRY(const int seen, read_node_status(stage, stage.home(), node.id()));
            return ((seen & node_takes_none) != 0) == blocked;
        },
        Millis(100));
}

Result<Refusal> ask_in_vain(Stage& stage, std::int64_t pid, int node) {
    MOSRIG_TRY(const MoveAnswer answer,
               request_by_file(stage.home(), pid, node, 0, stage.soon("a request")));
    Refusal refusal{answer.seen == Answer::moves, answer.errno_name};
    if (refusal.on_its_way) {
        const Deadline deadline = stage.deadline("the refusal", hearing_time);
        MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
            MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
            refusal.errno_name = state.error() == 0 ? "" : errno_name(state.error());
            return state.pending == 0;
        }));
    }
    return refusal;
}

}  // namespace mosrig
