// SPDX-License-Identifier: GPL-2.0-only
// All that can be said about why a process is where it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/hpc.h"
#include "common/omd_client.h"
#include "moswhy/explain.h"
#include "moswhy/lock_story.h"

namespace mosrig {

// Instead of omd's word if it does not answer.
inline constexpr const char* no_omd = "no_omd";

// What the balancer says of a process that nothing forbids to move.
// NOLINTNEXTLINE(bugprone-exception-escape): what moves a json only asserts
struct Decision {
    nlohmann::json answer;  // omd's, null if it gave none
    std::string reason;     // omd's word
    std::string text;       // a sentence with its figures, or why there is none
    std::optional<Remedy> remedy;
};

struct Guest {
    long from = 0;         // its home node
    std::string identity;  // "PID NAME" there
};

struct Report {
    pid_t pid = 0;
    std::string name;
    std::string user;
    std::string command;
    std::uint32_t self = 0;  // this node; 0: not configured
    long where = 0;          // 0: at home
    long moves = 0;
    std::string state;  // of migstat
    std::optional<Guest> guest;
    std::optional<LockStory> lock;
    std::vector<Finding> findings;
    std::vector<std::string> notes;  // sentences
    std::optional<Decision> decision;
};

// Everything about one process that exists.
Report make_report(const Subject& subject, const Hpc& hpc);

// What a person can do about omd's word; nothing if there is nothing to do. `other_node`: for
// where omd names none; may be "".
std::optional<Remedy> remedy_for(const std::string& word, const nlohmann::json& answer, pid_t pid,
                                 const std::string& other_node = "");

}  // namespace mosrig
