// SPDX-License-Identifier: GPL-2.0-only
#include <fmt/format.h>

#include "moswhy/explain.h"

namespace mosrig {

std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

void shorten(std::vector<std::string>& causes, std::size_t most) {
    if (causes.size() > most) {
        const std::size_t more = causes.size() - most;
        causes.resize(most);
        causes.push_back(fmt::format("and {} more", more));
    }
}

std::string list_of(const std::vector<std::string>& titles, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < titles.size() && i < most; i++) {
        text += (i == 0 ? "" : ", ") + titles[i];
    }
    if (titles.size() > most) {
        text += fmt::format(" and {} more", titles.size() - most);
    }
    return text;
}

std::vector<std::string> describe_mappings(const Subject& subject,
                                           bool (*match)(const Mapping& mapping)) {
    std::vector<std::string> causes;
    for (const Mapping& mapping : subject.mappings()) {
        if (match(mapping)) {
            causes.push_back(fmt::format("{} {}", mapping.range(),
                                         mapping.path.empty() ? "without a file" : mapping.path));
        }
    }
    shorten(causes);
    return causes;
}

std::vector<std::string> describe_descriptors(const Subject& subject, std::string_view target,
                                              std::string_view what) {
    std::vector<std::string> causes;
    for (const Descriptor& descriptor : subject.descriptors()) {
        if (descriptor.target == target) {
            causes.push_back(fmt::format("descriptor {} is {}", descriptor.number, what));
        }
    }
    shorten(causes);
    return causes;
}

}  // namespace mosrig
