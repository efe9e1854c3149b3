// SPDX-License-Identifier: MIT
// How a running switch is asked, and told what to do to its frames: one JSON datagram each way, on
// a unix socket that only its owner may write to.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/fabric/impairment.h"

namespace mosrig::fabric {

struct SwitchCounters {
    std::uint64_t frames = 0;   // taken in
    std::uint64_t dropped = 0;  // not delivered to a port for want of room
    std::uint64_t lost = 0;     // not delivered because it was told so
};

struct SwitchState {
    Impairment impairment;
    SwitchCounters counters;
};

// Where the switch that listens at `fabric` is asked.
std::filesystem::path control_path(const std::filesystem::path& fabric);

// Does what is asked, if anything, and gives the state after that.
using OnQuestion = std::function<SwitchState(const std::optional<Impairment>&)>;

// The switch's end of it, mode 0600. An old socket there is replaced.
Result<Fd> listen_for_control(const std::filesystem::path& path);
// Answers whatever has come. What cannot be understood is answered by {"error": ...}.
void answer_control(const Fd& control, const OnQuestion& on_question);

// The other end: asks the switch, and has it do something to all frames from now on.
Result<SwitchState> ask_switch(const std::filesystem::path& path,
                               const std::optional<Impairment>& order, const Deadline& deadline);

}  // namespace mosrig::fabric
