// SPDX-License-Identifier: GPL-2.0-only
// The task that waits on the guest's side of a link and becomes the body of what arrives.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <string>

#include "common/result.h"
#include "omd/device.h"

namespace mosrig {

// Forks a stub for the link `fd` from node `node` and returns its pid. The child leaves the
// daemon's session, has default signals and an empty mask, keeps no descriptor but the device
// and the link, and asks the kernel to make it a body. `log_path` gets a line if it refuses.
Result<pid_t> fork_stub(KernelDevice& device, std::uint32_t node, int fd,
                        const std::string& log_path);

}  // namespace mosrig
