// SPDX-License-Identifier: MIT
#include "harness/conformance/wording.h"

#include <regex>
#include <sstream>

namespace mosrig {

bool says(const std::string& text, const std::string& pattern) {
    return std::regex_search(text, std::regex(pattern, std::regex::multiline));
}

std::string with_number(std::string text, const std::string& mark, std::int64_t number) {
    const std::string digits = std::to_string(number);
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        text.replace(at, mark.size(), digits);
        at += digits.size();
    }
    return text;
}

std::string mask_digits(const std::string& text) {
    std::string masked;
    for (const char letter : text) {
        const bool digit = letter >= '0' && letter <= '9';
        if (!digit) {
            masked += letter;
        } else if (masked.empty() || masked.back() != '#') {
            masked += '#';
        }
    }
    return masked;
}

std::string unwrapped(const std::string& text) {
    std::istringstream words(text);
    std::string line;
    for (std::string word; words >> word;) {
        line += (line.empty() ? "" : " ") + word;
    }
    return line;
}

}  // namespace mosrig
