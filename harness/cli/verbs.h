// SPDX-License-Identifier: MIT
// The verbs of mosrig. Each adds itself to the parser with its own options and gives what to run
// if it was the one chosen; that gives the exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cluster/lifecycle.h"

namespace mosrig::cli {

// Exit codes that scripts rely on; 1 is the suite's, of a case that failed.
constexpr int exit_ok = 0;
constexpr int exit_usage = 2;
constexpr int exit_infra = 3;
constexpr int exit_rig_failed = 125;  // exec, copy, shell: the rig, not the command

// Of a verb when the rig itself fails.
int code_of_rig(const std::string& verb);

struct Verb {
    CLI::App* app = nullptr;
    std::function<int()> run;
};

Verb add_up(CLI::App& parser, const Places& places);
Verb add_down(CLI::App& parser, const Places& places);
Verb add_status(CLI::App& parser, const Places& places);
// `command` is what split_command() took off the command line.
Verb add_exec(CLI::App& parser, const Places& places, const std::vector<std::string>& command);
Verb add_copy(CLI::App& parser, const Places& places);
Verb add_shell(CLI::App& parser, const Places& places);
Verb add_console(CLI::App& parser, const Places& places);
Verb add_conformance(CLI::App& parser, const Places& places);
Verb add_bench(CLI::App& parser, const Places& places);
Verb add_report(CLI::App& parser, const Places& places);
Verb add_network(CLI::App& parser, const Places& places);
Verb add_simulate(CLI::App& parser);

// The options that say which cluster: --nodes, --kernel, --image, --mutant ...
void add_cluster_flags(CLI::App& app, ClusterFlags& flags);

// Takes the command of `mosrig exec NODE [--] CMD...` off the end of the arguments, so that no
// parser ever looks at it.
std::vector<std::string> split_command(std::vector<std::string>& arguments);

// Prints the error as one line for a person and gives `code`.
int complain(const Error& error, int code);

// Where things are, from this program's own place.
Result<Places> find_places();

// Whether this user may look at the cluster whose place is `state`; there may be none.
Result<void> check_access(const std::filesystem::path& state);

}  // namespace mosrig::cli
