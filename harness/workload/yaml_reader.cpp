// SPDX-License-Identifier: MIT
#include "harness/workload/yaml_reader.h"

#include <regex>

namespace mosrig::yaml {

void reject(const YAML::Node& node, const std::string& why) {
    throw YAML::Exception(node.Mark(), why);
}

void allow_only(const YAML::Node& map, const std::set<std::string>& keys) {
    if (!map.IsMap()) {
        reject(map, "a map is wanted here");
    }
    for (const auto& entry : map) {
        if (keys.count(entry.first.as<std::string>()) == 0) {
            reject(entry.first,
                   fmt::format("'{}' is no key that is read here", entry.first.as<std::string>()));
        }
    }
}

YAML::Node need(const YAML::Node& map, const char* key) {
    const YAML::Node value = map[key];
    if (!value) {
        reject(map, fmt::format("'{}' is missing", key));
    }
    return value;
}

std::vector<std::string> words(const YAML::Node& node) {
    return node.as<std::vector<std::string>>(std::vector<std::string>());
}

std::vector<std::string> patterns(const YAML::Node& node) {
    std::vector<std::string> all =
        node && node.IsScalar() ? std::vector<std::string>{node.as<std::string>()} : words(node);
    for (const std::string& one : all) {
        try {
            const std::regex compiled(one, std::regex::multiline);
        } catch (const std::regex_error& error) {
            reject(node, fmt::format("'{}' is no pattern: {}", one, error.what()));
        }
    }
    return all;
}

}  // namespace mosrig::yaml
