// SPDX-License-Identifier: MIT
// What one case leaves behind: an entry of results.json's "cases".
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/verdict/verdict.h"

namespace mosrig {

// Answer to a request by hand.
enum class Answer { moves, refused, none };
const char* to_string(Answer answer);

// What the balancer makes of processes by itself; none: it is not asked.
enum class Automatic { none, spreads, moves, stays };
const char* to_string(Automatic automatic);

struct CaseResult {
    std::string id;
    std::string title;
    std::string tier;
    Verdict verdict = Verdict::infra;
    std::string reason;    // why not PASS
    std::string may_skip;  // why a SKIP is no failure of the run; empty: it is one

    Answer expected = Answer::none;
    Answer seen = Answer::none;
    std::string errno_name;  // of a refusal
    std::string message;     // what the tool said
    std::string moswhy;      // what moswhy said of a process that stays
    Automatic automatic_expected = Automatic::none;
    Automatic automatic_seen = Automatic::none;

    // Read while the result of the request stands.
    std::optional<int> lock;
    std::vector<std::string> cantmove;
    std::optional<int> where;

    std::optional<std::int64_t> freeze_ns;
    std::optional<std::int64_t> total_ns;
    std::optional<std::int64_t> nmigs;
    std::map<std::string, std::string> migstat;  // after the first move out

    std::vector<Check> evidence;
    std::map<std::string, std::vector<std::string>> console;  // reports, by node
    std::vector<std::string> nodes;                           // that took part, home first
    double duration_s = 0;
};

// As the schema in reports/ wants it.
nlohmann::json to_json(const CaseResult& result);

}  // namespace mosrig
