// SPDX-License-Identifier: MIT
// Streams between a process on a node and descriptors of this program.
#pragma once

#include <cstdint>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/node/agent_client.h"
#include "harness/node/node.h"

namespace mosrig {

// Moves bytes until the process ends; gives its status. If `streams.out` or `streams.err` is
// closed at its far end, an infra error with EPIPE.
Result<int> pass_through(AgentClient& client, std::uint32_t id, const Streams& streams);

// Writes the process's output, which must be `size` bytes, to `fd` and waits for status 0.
Result<void> receive_file(RemoteProcess& process, int fd, std::uint64_t size,
                          const Deadline& deadline);

}  // namespace mosrig
