// SPDX-License-Identifier: GPL-2.0-only
// Looking a program up, as execvp() does, but without trying: an execve() that fails makes the
// kernel drop the request to move.
#pragma once

#include <string>

#include "common/result.h"

namespace mosrig {

// File to execute for a program's name: the name itself if it has a slash, else the first
// executable file in the folders of `path` (as $PATH). Errors: ENOENT, or EACCES if there is a
// file that may not be executed.
Result<std::string> find_program(const std::string& name, const std::string& path);

}  // namespace mosrig
