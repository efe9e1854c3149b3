// SPDX-License-Identifier: MIT
// The parts of a run: phases, commands that are typed, steps of a session. They throw as
// yaml_reader.h does.
#pragma once

#include <yaml-cpp/yaml.h>

#include <set>
#include <string>
#include <vector>

#include "harness/workload/description.h"

namespace mosrig {

// With no other keys than these.
Phase read_phase(const YAML::Node& node, const std::set<std::string>& keys);

// What every reason for staying has to go through: shown before anybody asks, gone with its cause,
// set again, the request refused; moved once it has gone again; taken hold of while away. One that
// stays for good is only caught away, and refused afterwards.
std::vector<Phase> phases_of_reason(const std::vector<std::string>& reason, bool for_good,
                                    const std::vector<std::string>& moswhy);

Ask read_ask(const YAML::Node& node);

Step read_step(const YAML::Node& node);

}  // namespace mosrig
