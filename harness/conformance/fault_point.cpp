// SPDX-License-Identifier: MIT
#include "harness/conformance/fault_point.h"

#include <fmt/format.h>

#include <cstdlib>

namespace mosrig {

namespace {

constexpr const char* parameter = "/sys/module/openmosix/parameters/fault";

}  // namespace

Result<void> arm_fault(Stage& stage, Machine& machine, const std::string& order) {
    MOSRIG_TRY(const int error,
               machine.write_file(parameter, order, stage.soon("an order to fail"), 0));
    if (error == ENOENT) {
        return stage.skip("the kernel of the nodes has no fault point");
    }
    if (error != 0) {
        return infra_error(
            fmt::format("{} does not take '{}': {}", parameter, order, errno_name(error)));
    }
    return {};
}

Result<int> fault_hits(Stage& stage, Machine& machine) {
    MOSRIG_TRY(const std::string text, stage.read_text(machine, parameter));
    const size_t blank = text.rfind(' ');
    return blank == std::string::npos ? 0 : std::atoi(text.c_str() + blank);
}

Result<Clock::time_point> await_fault(Stage& stage, Machine& machine, Clock::time_point ordered) {
    Clock::time_point not_yet = ordered;
    MOSRIG_CHECK(wait_until(stage.deadline("the failure that was ordered", Millis(10000)),
                            [&]() -> Result<bool> {
                                const Clock::time_point look = Clock::now();
                                MOSRIG_TRY(const int hits, fault_hits(stage, machine));
                                not_yet = hits > 0 ? not_yet : look;
                                return hits > 0;
                            }));
    return not_yet;
}

Result<void> await_link(Stage& stage, std::int64_t pid) {
    const Deadline deadline = stage.deadline("a link to the other node", Millis(60000));
    std::string seen;
    const Result<bool> moved = comes_true(
        deadline,
        [&]() -> Result<bool> {
            MOSRIG_TRY(const MoveAnswer answer,
                       request_by_tool(stage.home(), pid, stage.guest().id(), 0, deadline));
            seen = answer.message;
            return answer.seen == Answer::moves;
        },
        Millis(200));
    if (!moved) {
        return tl::unexpected(moved.error());
    }
    return stage.require("the other node can be moved to again", *moved, seen);
}

}  // namespace mosrig
