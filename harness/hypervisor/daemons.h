// SPDX-License-Identifier: MIT
// libvirt's daemons on a machine that runs none (a container, a bare CI runner).
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "harness/base/result.h"

namespace mosrig {

// Called with a kind and a path or number before the thing of that name comes to be.
using Recorder = std::function<Result<void>(const std::string& kind, const std::string& name)>;

// Makes sure that `uri` answers. For qemu:///system, if nothing answers, starts virtlogd and
// libvirtd with pid files in `state`, recorded as "daemon"; their libvirtd has the QEMU driver
// alone, so that no network of the host is touched. Gives true if it started them.
Result<bool> ensure_libvirt(const std::string& uri, const std::filesystem::path& state,
                            const Recorder& record);

// Ends a daemon that ensure_libvirt started, by its pid file, and removes what it left in /run.
// Not an error if it has gone already.
Result<void> stop_daemon(const std::filesystem::path& pid_file);

// Whether `pid` runs a program of this name (as /proc/PID/comm has it): a recorded pid may long
// belong to somebody else.
bool is_program(long pid, const std::string& name);

// SIGTERM, then SIGKILL after a deadline, to a process that is_program().
Result<void> end_process(long pid, const std::string& name);

}  // namespace mosrig
