// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"

namespace mosrig {

struct SetpeOptions {
    enum class Action { install, read, reload, off, check };
    Action action = Action::check;
    std::string file = "-";             // standard input or output
    std::optional<std::uint32_t> self;  // -p
    std::optional<std::uint32_t> gateways;
};

// Parses "-w|-W|-c|-r|-reload|-off [-f FILE] [-p ID] [-g N] [-n INET]".
Result<SetpeOptions> parse_setpe_options(const std::vector<std::string>& words);

}  // namespace mosrig
