// SPDX-License-Identifier: MIT
// What the samples of a run say: the rows of bench.json and the table for a person.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/benchmarks/bench_rig.h"

namespace mosrig {

// Samples by MiB touched.
using MoveSamples = std::map<int, std::vector<MoveSample>>;

// Our part of bench.json: base measures with their drift, one row for each size, and how freezing
// the largest compares with freezing the smallest.
nlohmann::json summarize(const MoveSamples& samples, const BaseSamples& bases);

// The same as a table of plain text.
std::string render_table(const nlohmann::json& summary);

}  // namespace mosrig
