// SPDX-License-Identifier: MIT
// A command on the host, with its output and a deadline.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
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

// Runs argv[0] (found in PATH) to its end, without input and with each NAME=value of
// `added_environment` beside the present one. The command is killed when the deadline passes. A
// command that cannot be started is an infra error; one that fails is a result with its status.
Result<CommandResult> run_subprocess(const std::vector<std::string>& argv, const Deadline& deadline,
                                     const std::vector<std::string>& added_environment = {});

// Starts a daemon in a session of its own with standard input and output on /dev/null and errors
// appended to `log`. Gives its pid.
Result<pid_t> start_daemon(const std::vector<std::string>& argv, const std::filesystem::path& log);

}  // namespace mosrig
