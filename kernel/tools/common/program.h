// SPDX-License-Identifier: GPL-2.0-only
// The programs in openmosix-tools, one binary under many names: each is a function.
#pragma once

#include <string>
#include <vector>

namespace mosrig {

// Exit statuses that all of these programs have in common.
enum ExitStatus {
    exit_done = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_not_openmosix = 3,
};

using Words = std::vector<std::string>;  // of the command line, without the program's name

int moswhy_program(Words words);
int mosctl_program(Words words);
int setpe_program(Words words);
int showmap_program(Words words);
int mosmon_program(Words words);
int mps_program(Words words);
int mtop_program(Words words);

// Prints "PROGRAM: TEXT" on standard error.
void complain(const char* program, const std::string& text);

// Complains, prints the usage and returns exit_usage.
int wrong_usage(const char* program, const std::string& text, const char* usage);

// Says that this is no openMosix kernel and returns exit_not_openmosix.
int not_openmosix(const char* program);

// Prints to standard output and returns exit_done, or exit_failed if it cannot be written.
int put(const std::string& text);

}  // namespace mosrig
