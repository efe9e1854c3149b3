// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"

namespace mosrig {

inline constexpr const char* mosrun_usage =
    "usage: mosrun [-h | -N | -jLIST] [-F] [-l | -L | -k] [-c | -i]\n"
    "              [-n | -s | -f | -t SEC [-d KEEP]] [-e | -E] [-r | -R] [-z] prog args\n";

struct NodeSpan {
    unsigned first;
    unsigned last;
};

struct MosrunOptions {
    std::optional<unsigned> node;  // where to run; 0 is home; nothing: where it is
    std::vector<NodeSpan> choice;  // or one of these at random (-j); empty: none
    bool anywhere = false;         // -F: if it cannot run there, then here
    std::optional<bool> lock;      // what to set the lock to; nothing: as the caller's
    // Files of /proc/hpc/decay and what to write there, in order.
    std::vector<std::pair<std::string, std::string>> decay;
    std::string program;
    std::vector<std::string> arguments;  // argv of the program, from argv[0] on
};

// Parses "[-h | -N | -jLIST] [-F] [-l | -L | -k] [-c | -i | -n | -s | -f | -t SEC [-d KEEP]]
// [-e | -E] [-r | -R] [-z] prog args" (without mosrun's own name).
//
// Lock: -l or -L if given, whatever else is (the last of several); else as it is if -k; else set
// with a place, and without a place unless there is a decay option, as the manual of openMosix
// had it.
Result<MosrunOptions> parse_mosrun_options(const std::vector<std::string>& arguments);

// One of the nodes of the list, all equally likely, for a `random` number.
unsigned pick_node(const std::vector<NodeSpan>& choice, unsigned random);

}  // namespace mosrig
