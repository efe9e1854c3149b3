// SPDX-License-Identifier: MIT
// Arguments and environments in the form that the system wants.
#pragma once

#include <string>
#include <vector>

namespace mosrig {

// Pointers into `strings`, with the null pointer at the end that exec looks for. Good as long as
// `strings` is not changed.
inline std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (std::string& text : strings) {
        result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
}

}  // namespace mosrig
