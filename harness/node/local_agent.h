// SPDX-License-Identifier: MIT
// An agent, or any other program, on this machine: for tests of everything above the transport.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/node/transport.h"

namespace mosrig {

// Starts a program with a socket as its standard input and output.
Result<std::unique_ptr<Transport>> start_local_agent(const std::vector<std::string>& argv);

}  // namespace mosrig
