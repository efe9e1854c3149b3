// SPDX-License-Identifier: GPL-2.0-only
// Small text files, above all those of /proc.
#pragma once

#include <string>

#include "common/result.h"

namespace mosrig {

/// Whole content of a file of at most 1 MiB. Errors carry the errno of the failing call.
Result<std::string> read_text(const std::string& path);

/// Writes @p text to an existing file in one write(2), as files of /proc want it.
Result<void> write_text(const std::string& path, const std::string& text);

/// Replaces @p path atomically: a reader sees the old content or the new one.
Result<void> replace_text(const std::string& path, const std::string& text);

}  // namespace mosrig
