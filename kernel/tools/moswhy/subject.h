// SPDX-License-Identifier: GPL-2.0-only
// The process that is asked about, as /proc shows it. Each file is read when it is first needed.
#pragma once

#include <sys/types.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/places.h"
#include "common/process.h"
#include "moswhy/mappings.h"

namespace mosrig {

struct Thread {
    pid_t tid;
    std::string name;
};

struct Descriptor {
    int number;
    std::string target;  // "anon_inode:[io_uring]"
};

// Fields of /proc/PID/stat that say how it is scheduled.
struct Scheduling {
    int policy;    // SCHED_FIFO ...
    int priority;  // of the real-time classes
};

// The value of a line "FIELD: VALUE", as status and fdinfo have them, or "".
std::string field_of(const std::string& text, const std::string& field);
// Where a symbolic link points to, or "".
std::string link_target(const std::string& path);

class Subject {
  public:
    Subject(pid_t pid, Places places);

    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    [[nodiscard]] const Places& places() const { return places_; }
    [[nodiscard]] const Process& process() const { return process_; }
    // Whether there is such a process; a zombie counts.
    [[nodiscard]] bool exists() const { return process_.stat().has_value(); }

    // Its name as ps shows it; "?" if it has gone.
    [[nodiscard]] std::string name() const { return name_of(pid()); }
    // "PID (name)" of any process.
    [[nodiscard]] std::string title_of(pid_t pid) const;
    [[nodiscard]] std::string name_of(pid_t pid) const;
    // The words of its command line, or nothing.
    [[nodiscard]] std::string command_of(pid_t pid) const;
    // A field of /proc/PID/status, or "".
    [[nodiscard]] std::string status(const std::string& field) const;
    [[nodiscard]] std::string status_of(pid_t pid, const std::string& field) const;
    // Its parent, the parent's parent and so on up to process 1.
    [[nodiscard]] std::vector<pid_t> ancestors() const;
    // Every process of the node, ascending.
    [[nodiscard]] std::vector<pid_t> all() const;

    // With the details of smaps where the kernel has them.
    [[nodiscard]] const std::vector<Mapping>& mappings() const;
    // Those of another process, without details; empty also if they may not be read.
    [[nodiscard]] std::vector<Mapping> mappings_of(pid_t pid) const;
    [[nodiscard]] std::vector<Mapping> details_of(pid_t pid) const;
    [[nodiscard]] std::vector<Descriptor> descriptors() const;
    [[nodiscard]] std::vector<Thread> threads() const;
    [[nodiscard]] std::optional<Scheduling> scheduling_of(pid_t tid) const;
    // Whether its mappings and descriptors may be read: by root and by its owner.
    [[nodiscard]] bool open() const;

  private:
    Places places_;
    Process process_;
    mutable std::optional<std::vector<Mapping>> mappings_;
    mutable std::map<pid_t, std::vector<Mapping>> others_;
};

}  // namespace mosrig
