// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

namespace mosrig {

// Name of an x86-64 system call ("nanosleep"), or "syscall NR" if this build knows none.
std::string syscall_name(long number);

}  // namespace mosrig
