// SPDX-License-Identifier: MIT
// A program under test that speaks the workload contract: start, READY, questions, END.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/process/machine.h"

namespace mosrig {

class Subject {
  public:
    // Starts the program; READY is not yet waited for.
    static Result<Subject> start(Machine& machine, const std::vector<std::string>& argv, int user,
                                 const std::vector<std::string>& environment,
                                 const Deadline& deadline);

    // One that was started otherwise.
    explicit Subject(std::unique_ptr<Program> program) : program_(std::move(program)) {}

    [[nodiscard]] std::int64_t pid() const { return program_->pid(); }
    [[nodiscard]] Program& program() { return *program_; }

    // Waits for READY. A program that says "SKIP why" gives that line instead.
    Result<std::string> ready(const Deadline& deadline);
    // Sends a word and gives the line that answers it.
    Result<std::string> ask(const std::string& word, const Deadline& deadline);
    // Sends END, takes the summary and waits for the end; gives the status.
    Result<int> finish(const Deadline& deadline);

    // The words sent so far, END not among them.
    [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
    // Every line that it printed, but for those that tell one process from another.
    [[nodiscard]] const std::vector<std::string>& output() const { return output_; }

  private:
    Result<std::string> next_line(const Deadline& deadline);

    std::unique_ptr<Program> program_;
    std::vector<std::string> words_;
    std::vector<std::string> output_;
};

// Where the workloads are on every node.
inline constexpr const char* workload_folder = "/usr/local/lib/mosrig/workloads";

// What a workload ends with where the node lacks what it needs.
constexpr int status_skips = 77;

}  // namespace mosrig
