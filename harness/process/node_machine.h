// SPDX-License-Identifier: MIT
// A node of a running cluster as a Machine.
#pragma once

#include "harness/node/node.h"
#include "harness/process/machine.h"

namespace mosrig {

class NodeMachine final : public Machine {
  public:
    explicit NodeMachine(Node& node) : node_(node) {}

    [[nodiscard]] std::string name() const override { return node_.name(); }
    [[nodiscard]] int id() const override { return node_.id(); }
    Result<CommandResult> run(const std::vector<std::string>& argv, const Deadline& deadline,
                              int user) override;
    Result<std::unique_ptr<Program>> start(const std::vector<std::string>& argv,
                                           const Deadline& deadline,
                                           const StartOptions& options) override;
    Result<std::vector<Result<std::string>>> read_files(const std::vector<std::string>& paths,
                                                        const Deadline& deadline) override;
    Result<std::string> read_all(const std::string& name, const Deadline& deadline) override;
    Result<int> write_file(const std::string& path, std::string_view data, const Deadline& deadline,
                           int user) override;
    Result<std::unique_ptr<Terminal>> open_terminal(TerminalSize size,
                                                    const Deadline& deadline) override;
    Result<int> send_signal(std::int64_t pid, int signal, const Deadline& deadline) override;

  private:
    Node& node_;
};

}  // namespace mosrig
