// SPDX-License-Identifier: MIT
// A command on the host, with its output and a deadline.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"

namespace mosrig {

struct CommandResult {
    int status = 0;   // exit status as a shell gives it: 128+N if signal N ended the command
    std::string out;  // standard output, as it came
    std::string err;  // standard error, as it came

    [[nodiscard]] bool ok() const { return status == 0; }
};

struct SubprocessOptions {
    std::string input;                     // standard input
    std::filesystem::path directory;       // working directory, empty: unchanged
    std::vector<std::string> environment;  // NAME=value, added to the present one
    // Called with each piece of standard error as it arrives (progress of a long command).
    std::function<void(std::string_view)> on_error_output;
};

// Runs argv[0] (found in PATH) to its end. The command is killed when the deadline passes. A
// command that cannot be started is an infra error; one that fails is a result with its status.
Result<CommandResult> run_subprocess(const std::vector<std::string>& argv, const Deadline& deadline,
                                     const SubprocessOptions& options = {});

// Starts a daemon in a session of its own with standard input and output on /dev/null and errors
// appended to `log`. Gives its pid.
Result<pid_t> start_daemon(const std::vector<std::string>& argv, const std::filesystem::path& log);

}  // namespace mosrig
