// SPDX-License-Identifier: MIT
// What the cases need of a node, and no more: `NodeMachine` is a real one, `FakeCluster` plays some
// on this host for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/subprocess.h"
#include "harness/deadline/deadline.h"
#include "harness/node/remote_process.h"
#include "harness/node/terminal.h"

namespace mosrig {

// A running program on a machine. It is killed when this goes.
class Program {
  public:
    Program() = default;
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    Program(Program&&) = delete;
    Program& operator=(Program&&) = delete;
    virtual ~Program() = default;

    [[nodiscard]] virtual std::int64_t pid() const = 0;
    virtual Result<void> write_line(std::string_view line, const Deadline& deadline) = 0;
    // nullopt at the end of the output.
    virtual Result<std::optional<std::string>> read_line(const Deadline& deadline) = 0;
    // What it wrote to standard error so far.
    virtual Result<std::string> take_error_output() = 0;
    // Status as a shell gives it: 128+N for signal N.
    virtual Result<int> wait(const Deadline& deadline) = 0;
    // Lets whatever still runs of it end.
    virtual Result<void> kill(const Deadline& deadline) = 0;
};

class Machine {
  public:
    Machine() = default;
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    Machine(Machine&&) = delete;
    Machine& operator=(Machine&&) = delete;
    virtual ~Machine() = default;

    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual int id() const = 0;
    // As the functions of Node do.
    virtual Result<CommandResult> run(const std::vector<std::string>& argv,
                                      const Deadline& deadline, int user) = 0;
    virtual Result<std::unique_ptr<Program>> start(const std::vector<std::string>& argv,
                                                   const Deadline& deadline,
                                                   const StartOptions& options) = 0;
    virtual Result<std::vector<Result<std::string>>> read_files(
        const std::vector<std::string>& paths, const Deadline& deadline) = 0;
    virtual Result<std::string> read_all(const std::string& name, const Deadline& deadline) = 0;
    // Gives the errno of the step that failed, 0 if none did.
    virtual Result<int> write_file(const std::string& path, std::string_view data,
                                   const Deadline& deadline, int user) = 0;
    virtual Result<std::unique_ptr<Terminal>> open_terminal(TerminalSize size,
                                                            const Deadline& deadline) = 0;
    virtual Result<int> send_signal(std::int64_t pid, int signal, const Deadline& deadline) = 0;
};

// The machines of one cluster; index 0 is the home of every case, index 1 the node it moves to.
using Machines = std::vector<Machine*>;

}  // namespace mosrig
