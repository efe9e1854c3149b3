// SPDX-License-Identifier: MIT
// A command that the agent started: its process, its pipes, and what waits to be written to it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mosrig::guest {

struct Job {
    std::uint32_t id = 0;
    pid_t pid = -1;
    int in = -1;   // write end of its standard input
    int out = -1;  // read end of its standard output
    int err = -1;  // read end of its standard error
    std::string pending_input;
    bool input_ended = false;  // close `in` once pending_input is written
    bool ended = false;        // the process itself has gone; children may hold the pipes
};

struct Command {
    std::vector<std::string> argv;
    std::string directory;
    std::vector<std::string> environment;
    std::uint32_t user = 0;
};

// Starts the command in a session of its own with three pipes, and returns once the process is that
// command: who then asks it to move does not mean the child that is about to be. Gives 0 and fills
// the job, or an errno. A command that cannot be executed says so on its standard error and ends
// with 126 or 127.
int start_job(const Command& command, Job& job);

// Closes a descriptor of a job if it is open.
void close_end(int& fd);

// Drops rights to user and group `user`, without other groups. errno or 0.
int become_user(std::uint32_t user);

}  // namespace mosrig::guest
