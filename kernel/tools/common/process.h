// SPDX-License-Identifier: GPL-2.0-only
// What /proc tells about one process and its migration.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"

namespace mosrig {

// Fields of /proc/PID/stat.
struct ProcStat {
    char state;
    pid_t parent;
};

// Parses a stat line; the command's name may contain anything, also blanks and parentheses.
std::optional<ProcStat> parse_stat(const std::string& line);

// "name value" lines, as migstat has them.
std::map<std::string, std::string> parse_values(const std::string& text);

// The call in which a process sleeps, from the first word of /proc/PID/syscall: nothing if it
// runs or waits outside of a call.
std::optional<std::string> call_from_syscall_file(const std::string& text);

class Process {
  public:
    explicit Process(pid_t pid, const std::string& proc = "/proc");
    // The calling process, by /proc/self.
    static Process self();

    [[nodiscard]] pid_t pid() const { return pid_; }
    // Its folder in /proc.
    [[nodiscard]] const std::string& folder() const { return folder_; }
    // Whole file /proc/PID/NAME.
    [[nodiscard]] Result<std::string> read(const std::string& name) const;
    [[nodiscard]] Result<void> write(const std::string& name, const std::string& text) const;
    // A file with one integer, without its newline; nothing if it cannot be read.
    [[nodiscard]] std::optional<long> number(const std::string& name) const;
    [[nodiscard]] std::optional<ProcStat> stat() const;
    // Words of cantmove, separated by blanks.
    [[nodiscard]] std::string reasons() const;
    // Where it waits, for a person: "sleeps in read", "sleeps (in do_wait)", "is stopped".
    [[nodiscard]] std::string activity() const;
    // Whether it is this program's parent, or the parent's parent, and so on.
    [[nodiscard]] bool is_own_ancestor() const;

  private:
    Process(pid_t pid, std::string proc, std::string folder);

    pid_t pid_;
    std::string proc_;    // the mounted file system
    std::string folder_;  // of this process, in it
};

// The word of a home_reason of migstat that names a reason to stay, "reason:monkey"; "" for
// others.
std::string reason_of(const std::string& home_reason);

// Sentence about a refused request: "EBUSY (Device or resource busy): it has to stay because of
// clone_vm". `reasons`: words of cantmove, for EBUSY.
std::string refusal_sentence(int code, const std::string& reasons);

}  // namespace mosrig
