// SPDX-License-Identifier: GPL-2.0-only
// Small text files and their folders, above all those of /proc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"

namespace mosrig {

inline constexpr std::size_t mebibyte = 1U << 20U;

// Whole content of a file of at most `largest` bytes. Errors carry the errno of the failing call.
Result<std::string> read_text(const std::string& path, std::size_t largest = mebibyte);

// Writes `text` to an existing file in one write(2), as files of /proc want it.
Result<void> write_text(const std::string& path, const std::string& text);

enum class Durable { no, yes };

// Replaces `path` atomically: a reader sees the old content or the new one. `durable`: also one
// who comes after a crash. Everybody may read it, whatever the umask.
Result<void> replace_text(const std::string& path, const std::string& text,
                          Durable durable = Durable::no);

// Numbers that name the entries of a folder, ascending.
std::vector<std::uint32_t> numbers_in(const std::string& folder);

}  // namespace mosrig
