// SPDX-License-Identifier: MIT
// A process on a node that this program started and talks to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"

namespace mosrig {

class AgentClient;

// How a command is started on a node. The defaults are those of `mosrig exec`.
struct StartOptions {
    std::string directory = "/root";       // working directory
    std::vector<std::string> environment;  // NAME=value, added to a plain root environment
    int user = 0;                          // uid and gid it runs with; no other groups
};

class RemoteProcess {
  public:
    RemoteProcess(std::shared_ptr<AgentClient> client, std::uint32_t id, std::int64_t pid);
    RemoteProcess(RemoteProcess&&) noexcept;
    RemoteProcess& operator=(RemoteProcess&&) noexcept;
    // Kills the process group if the process still runs.
    ~RemoteProcess();

    // Its pid on its node, which is also its process group and session.
    [[nodiscard]] std::int64_t pid() const { return pid_; }

    // Writes to its standard input, waiting for room.
    Result<void> write(std::string_view data, const Deadline& deadline);
    // The same with a newline added.
    Result<void> write_line(std::string_view line, const Deadline& deadline);
    // End of file on its standard input.
    Result<void> close_input(const Deadline& deadline);

    // Next line of its output without the newline. nullopt at the end of the output. A last line
    // without a newline counts as a line.
    Result<std::optional<std::string>> read_line(const Deadline& deadline);
    // What has arrived and was not yet read, without waiting. Empty if nothing has.
    Result<std::string> take_output();
    Result<std::string> take_error_output();

    // Waits until anything arrives from the node: output, or an end.
    Result<void> wait_activity(const Deadline& deadline);
    // Waits for the process itself to end (not for children that hold its pipes) and gives its
    // status as a shell does: 128+N for signal N.
    Result<int> wait(const Deadline& deadline);
    // The status if it has ended already, as far as this side has heard.
    [[nodiscard]] Result<std::optional<int>> poll_status();

    // Sends a signal to its whole group.
    Result<void> kill(int signal, const Deadline& deadline);

  private:
    std::shared_ptr<AgentClient> client_;
    std::uint32_t id_ = 0;
    std::int64_t pid_ = 0;
};

}  // namespace mosrig
