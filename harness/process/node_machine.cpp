// SPDX-License-Identifier: MIT
#include "harness/process/node_machine.h"

#include <csignal>
#include <utility>

namespace mosrig {

namespace {

class NodeProgram final : public Program {
  public:
    explicit NodeProgram(RemoteProcess process) : process_(std::move(process)) {}

    [[nodiscard]] std::int64_t pid() const override { return process_.pid(); }
    Result<void> write_line(std::string_view line, const Deadline& deadline) override {
        return process_.write_line(line, deadline);
    }
    Result<std::optional<std::string>> read_line(const Deadline& deadline) override {
        return process_.read_line(deadline);
    }
    Result<std::string> take_error_output() override { return process_.take_error_output(); }
    Result<int> wait(const Deadline& deadline) override { return process_.wait(deadline); }
    Result<void> kill(const Deadline& deadline) override {
        return process_.kill(SIGKILL, deadline);
    }

  private:
    RemoteProcess process_;
};

}  // namespace

Result<CommandResult> NodeMachine::run(const std::vector<std::string>& argv,
                                       const Deadline& deadline, int user) {
    StartOptions options;
    options.user = user;
    return node_.run(argv, {}, deadline, options);
}

Result<std::unique_ptr<Program>> NodeMachine::start(const std::vector<std::string>& argv,
                                                    const Deadline& deadline,
                                                    const StartOptions& options) {
    MOSRIG_TRY(RemoteProcess process, node_.start(argv, deadline, options));
    return std::make_unique<NodeProgram>(std::move(process));
}

Result<std::vector<Result<std::string>>> NodeMachine::read_files(
    const std::vector<std::string>& paths, const Deadline& deadline) {
    return node_.read_files(paths, deadline);
}

Result<std::string> NodeMachine::read_all(const std::string& name, const Deadline& deadline) {
    return node_.read_all(name, deadline);
}

Result<int> NodeMachine::write_file(const std::string& path, std::string_view data,
                                    const Deadline& deadline, int user) {
    return node_.write_file(path, data, deadline, user);
}

Result<std::unique_ptr<Terminal>> NodeMachine::open_terminal(TerminalSize size,
                                                             const Deadline& deadline) {
    return node_.open_terminal(size, deadline);
}

Result<int> NodeMachine::send_signal(std::int64_t pid, int signal, const Deadline& deadline) {
    return node_.send_signal(pid, signal, deadline);
}

}  // namespace mosrig
