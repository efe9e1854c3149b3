// SPDX-License-Identifier: MIT
// results.json and JUnit XML, made from the journal and from nothing else.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/verdict/verdict.h"

namespace mosrig {

// The content of results.json. A case that began and did not end gets the verdict that the record
// of the runner's death gives it, else INFRA; a planned one that never began is INFRA.
Result<nlohmann::json> results_from_events(const std::vector<nlohmann::json>& events);

// The verdicts of results.json's cases.
std::vector<Verdict> verdicts(const nlohmann::json& results);

// The ids of cases that were skipped and must not be. On the whole image that is each without a
// `may_skip`; another image may lack anything.
std::vector<std::string> wrongly_skipped(const nlohmann::json& results);

// The same as JUnit XML, for CI.
std::string junit_xml(const nlohmann::json& results);

// Reads `journal` and writes results.json and junit.xml into `folder`. Gives the results.
Result<nlohmann::json> write_results(const std::filesystem::path& journal,
                                     const std::filesystem::path& folder);

}  // namespace mosrig
