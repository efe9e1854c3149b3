// SPDX-License-Identifier: GPL-2.0-only
// Questions to the node daemon, over its socket.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "common/result.h"

namespace mosrig {

// omd answers within four seconds, be it that it does not know.
inline constexpr std::chrono::seconds omd_patience{5};

// Sends one line to omd's socket `path` and parses its answer. Errors: ENOENT or ECONNREFUSED if
// omd does not run, ETIMEDOUT, EPROTO if the answer is not an object.
Result<nlohmann::json> ask_omd(const std::string& path, const std::string& request,
                               std::chrono::milliseconds patience = omd_patience);

// A field of an answer, or `other` if it is not there or of another type.
template <class T>
T field(const nlohmann::json& object, const char* name, T other) {
    const auto found = object.find(name);
    if (found == object.end()) {
        return other;
    }
    if constexpr (std::is_same_v<T, std::string>) {
        return found->is_string() ? found->template get<std::string>() : other;
    } else if constexpr (std::is_same_v<T, bool>) {
        return found->is_boolean() ? found->template get<bool>() : other;
    } else {
        return found->is_number() ? found->template get<T>() : other;
    }
}

}  // namespace mosrig
