// SPDX-License-Identifier: MIT
// The append-only record of a run: one JSON object a line, on the disk before the run goes on. What
// the run shows afterwards is made from it alone, so that a runner that dies loses nothing.
//
// Events, told apart by "event":
//   run_begin    run: the head of results.json; planned: [{id, title, tier, expected}]
//   case_begin   id; console: {node: byte offset}
//   check        id, check, ok, detail
//   case_end     id; case: its entry in results.json
//   runner_died  id of the open case (may be empty), verdict, why; console: {node: [lines]}
//   cluster_restarted  all nodes were started afresh before the next case
//   run_end      duration_s
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace mosrig {

class Journal {
  public:
    // Begins a new journal in place of the one of the run before.
    static Result<Journal> create(const std::filesystem::path& file);
    // Goes on with one.
    static Result<Journal> open(const std::filesystem::path& file);

    // Adds a line, stamped with the time, and waits until it is on the disk.
    Result<void> append(nlohmann::json event);

  private:
    explicit Journal(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

// All events, in order. A last line cut short by a crash is left out.
Result<std::vector<nlohmann::json>> read_journal(const std::filesystem::path& file);

// Now, as RFC 3339 in UTC.
std::string timestamp();

}  // namespace mosrig
