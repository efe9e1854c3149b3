// SPDX-License-Identifier: MIT
// libvirt's daemons on a machine that runs none (a container, a bare CI runner).
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "harness/base/result.h"

namespace mosrig {

// Makes sure that `uri` answers. For qemu:///system, if nothing answers, starts virtlogd and
// libvirtd; their libvirtd has the QEMU driver alone, so that no network of the host is touched.
// The cluster of `state` counts as a user of daemons that a rig started, whichever did, until it
// calls release_libvirt. `record` is called before anything is done that this has to undo. Gives
// true if it started them.
Result<bool> ensure_libvirt(const std::string& uri, const std::filesystem::path& state,
                            const std::function<Result<void>()>& record);

// The last user ends the daemons and removes what they left in /run, unless `still_needed` says
// that they run somebody else's domains. Not an error if they have gone already.
Result<void> release_libvirt(const std::filesystem::path& state,
                             const std::function<Result<bool>()>& still_needed);

// Whether `pid` runs a program of this name: a recorded pid may long belong to somebody else.
bool is_program(long pid, const std::string& name);

// SIGTERM, then SIGKILL after a deadline, to a process that is_program().
Result<void> end_process(long pid, const std::string& name);

}  // namespace mosrig
