// SPDX-License-Identifier: MIT
// A program on this host as a Program: what tests talk to in place of a node's.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "harness/base/fd.h"
#include "harness/process/machine.h"

namespace mosrig {

class LocalProgram final : public Program {
  public:
    // Starts argv[0] (found in PATH) with NAME=value strings added to the environment.
    static Result<std::unique_ptr<Program>> start(const std::vector<std::string>& argv,
                                                  const std::vector<std::string>& environment);
    ~LocalProgram() override;
    LocalProgram(const LocalProgram&) = delete;
    LocalProgram& operator=(const LocalProgram&) = delete;
    LocalProgram(LocalProgram&&) = delete;
    LocalProgram& operator=(LocalProgram&&) = delete;

    [[nodiscard]] std::int64_t pid() const override { return pid_; }
    Result<void> write_line(std::string_view line, const Deadline& deadline) override;
    Result<std::optional<std::string>> read_line(const Deadline& deadline) override;
    Result<std::string> take_error_output() override { return std::string(); }
    Result<int> wait(const Deadline& deadline) override;
    Result<void> kill(const Deadline& deadline) override;

  private:
    LocalProgram(pid_t pid, Fd input, Fd output)
        : pid_(pid), input_(std::move(input)), output_(std::move(output)) {}

    pid_t pid_;
    Fd input_;
    Fd output_;
    std::string buffered_;
    bool at_end_ = false;
    std::optional<int> status_;
};

}  // namespace mosrig
