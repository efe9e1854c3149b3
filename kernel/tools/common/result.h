// SPDX-License-Identifier: GPL-2.0-only
// Errors are values: a sentence for the user and, where there is one, the errno behind it.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace mosrig {

struct Error {
    std::string text;
    int code = 0;  // errno, or 0 when no system call failed
};

template <class T>
using Result = tl::expected<T, Error>;

// Symbolic name of an errno ("EBUSY"); its number in digits if it has none.
inline std::string errno_name(int code) {
    const char* name = strerrorname_np(code);
    return name != nullptr ? name : std::to_string(code);
}

// An error with the given sentence.
inline tl::unexpected<Error> fail(std::string text, int code = 0) {
    return tl::unexpected<Error>(Error{std::move(text), code});
}

// An error about a failed system call: "WHAT: EBUSY (Device or resource busy)".
inline tl::unexpected<Error> fail_errno(const std::string& what, int code) {
    return fail(what + ": " + errno_name(code) + " (" + strerrordesc_np(code) + ")", code);
}

}  // namespace mosrig
