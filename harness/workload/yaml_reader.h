// SPDX-License-Identifier: MIT
// Reading YAML by what is allowed in it. Everything here throws YAML::Exception, with the place in
// the text; it is caught by parse_descriptions(), since yaml-cpp throws anyway and both kinds are
// to leave by one door.
#pragma once

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace mosrig::yaml {

[[noreturn]] void reject(const YAML::Node& node, const std::string& why);

template <class T>
T choose(const YAML::Node& node, const std::map<std::string, T>& choices) {
    const auto found = choices.find(node.as<std::string>());
    if (found == choices.end()) {
        reject(node, fmt::format("'{}' is not known here", node.as<std::string>()));
    }
    return found->second;
}

// A misspelt key would silently drop an assertion.
void allow_only(const YAML::Node& map, const std::set<std::string>& keys);

// The value of a key that must be there.
YAML::Node need(const YAML::Node& map, const char* key);

// A list of words; empty if there is none.
std::vector<std::string> words(const YAML::Node& node);

// One regular expression or a list of them, each of which compiles.
std::vector<std::string> patterns(const YAML::Node& node);

}  // namespace mosrig::yaml
