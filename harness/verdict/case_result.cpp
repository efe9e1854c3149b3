// SPDX-License-Identifier: MIT
#include "harness/verdict/case_result.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace mosrig {

namespace {

using nlohmann::json;

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

json text_or_null(const std::string& text) {
    return text.empty() ? json(nullptr) : json(text);
}

// Numbers of migstat are numbers in JSON too.
json number_or_text(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? json(number) : json(text);
}

// A console may carry any byte, JSON may not.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](char letter) {
            return (static_cast<unsigned char>(letter) < ' ' && letter != '\n' && letter != '\t') ||
                   static_cast<unsigned char>(letter) > '~';
        },
        '?');
    return text;
}

}  // namespace

const char* to_string(Answer answer) {
    switch (answer) {
        case Answer::moves:
            return "moves";
        case Answer::refused:
            return "refused";
        case Answer::none:
            break;
    }
    return "none";
}

const char* to_string(Automatic automatic) {
    switch (automatic) {
        case Automatic::none:
            return "none";
        case Automatic::spreads:
            return "spreads";
        case Automatic::moves:
            return "moves";
        case Automatic::stays:
            return "stays";
    }
    return "?";
}

json to_json(const CaseResult& result) {
    json evidence = json::array();
    for (const Check& check : result.evidence) {
        evidence.push_back({{"check", printable(check.check)}, {"ok", check.ok}});
        if (!check.detail.empty()) {
            evidence.back()["detail"] = printable(check.detail);
        }
    }
    json migstat = json::object();
    for (const auto& [name, value] : result.migstat) {
        migstat[name] = number_or_text(value);
    }
    json console = json::object();
    for (const auto& [node, lines] : result.console) {
        for (const std::string& line : lines) {
            console[node].push_back(printable(line));
        }
    }
    json entry = {
        {"id", result.id},
        {"title", result.title},
        {"tier", result.tier},
        {"verdict", to_string(result.verdict)},
        {"reason", text_or_null(printable(result.reason))},
        {"manual",
         {{"expected", to_string(result.expected)},
          {"seen", to_string(result.seen)},
          {"errno", text_or_null(result.errno_name)},
          {"message", text_or_null(printable(result.message))}}},
        {"lock", or_null(result.lock)},
        {"cantmove", result.cantmove},
        {"where", or_null(result.where)},
        {"freeze_ns", or_null(result.freeze_ns)},
        {"total_ns", or_null(result.total_ns)},
        {"nmigs", or_null(result.nmigs)},
        {"migstat", migstat},
        {"evidence", evidence},
        {"console", console},
        {"nodes", result.nodes},
        {"attempts", 1},
        {"duration_s", result.duration_s},
    };
    if (result.verdict == Verdict::skip && !result.may_skip.empty()) {
        entry["may_skip"] = printable(result.may_skip);
    }
    if (!result.moswhy.empty()) {
        entry["moswhy"] = printable(result.moswhy);
    }
    if (result.automatic_expected != Automatic::none) {
        entry["automatic"] = {{"expected", to_string(result.automatic_expected)},
                              {"seen", to_string(result.automatic_seen)}};
    }
    return entry;
}

}  // namespace mosrig
