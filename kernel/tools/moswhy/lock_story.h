// SPDX-License-Identifier: GPL-2.0-only
// Why a process is locked: who did that, and from which ancestor or boot line it comes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "moswhy/subject.h"

namespace mosrig {

// What a person can do, and the command for it.
struct Remedy {
    std::string text;
    std::string command;
};

struct LockStory {
    std::string origin;                   // self, other, ancestor, boot, unknown
    std::string text;                     // sentences
    std::vector<std::string> boot_lines;  // of /etc/inittab, if the lock is from there
    std::vector<Remedy> remedies;
};

// Nothing if it is not locked.
std::optional<LockStory> lock_story(const Subject& subject);

// The lines of an inittab that lock what they run.
std::vector<std::string> locking_lines(const std::string& inittab);

}  // namespace mosrig
