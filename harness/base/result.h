// SPDX-License-Identifier: MIT
// Errors are values. Nothing in the harness throws across a public header.
//
//     Result<std::string> text = node.read_file("/proc/1/where", deadline);
//     if (!text) return tl::unexpected(text.error());
//
// or, where the error only travels upwards:
//
//     MOSRIG_TRY(auto text, node.read_file("/proc/1/where", deadline));
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace mosrig {

// What kind of thing went wrong; decides exit codes and verdicts.
enum class ErrorKind {
    usage,    // the caller asked for something that makes no sense
    infra,    // the rig or its host failed (libvirt, a file, a missing package)
    boot,     // a node did not come up
    timeout,  // a named deadline passed
    remote,   // a node answered with an errno (Error::sys_errno)
    ended,    // the program under test ended by itself
    aborted,  // a case was left: a check that it rests on failed, or it is skipped
};

struct Error {
    ErrorKind kind = ErrorKind::infra;
    std::string what;    // what happened, one line
    std::string remedy;  // what to do about it, may be empty
    std::string node;    // on which node, may be empty
    int sys_errno = 0;   // errno behind it, 0 if none

    // "node1: what (remedy)": one line for a person.
    [[nodiscard]] std::string message() const;
};

template <class T>
using Result = tl::expected<T, Error>;

// Short forms to make an error of each kind, ready to be returned from a function.
tl::unexpected<Error> usage_error(std::string what, std::string remedy = {});
tl::unexpected<Error> infra_error(std::string what, std::string remedy = {});
// An error of a system call: appends the text of `error_number`.
tl::unexpected<Error> errno_error(std::string what, int error_number, std::string remedy = {});

// Exit code of a verb for this error: 2 usage, 3 everything else.
int exit_code(const Error& error);

}  // namespace mosrig

#define MOSRIG_CONCAT_INNER(a, b) a##b
#define MOSRIG_CONCAT(a, b) MOSRIG_CONCAT_INNER(a, b)
// Evaluates an expression of type Result<T>; returns its error from the calling function, or
// binds its value to `decl`.
#define MOSRIG_TRY(decl, ...) MOSRIG_TRY_AS(MOSRIG_CONCAT(result_, __LINE__), decl, __VA_ARGS__)
#define MOSRIG_TRY_AS(name, decl, ...)                    \
    auto name = (__VA_ARGS__);                            \
    if (!name)                                            \
        return ::tl::unexpected(std::move(name).error()); \
    decl = std::move(*name) /* NOLINT(bugprone-macro-parentheses) */
// The same for Result<void>.
#define MOSRIG_CHECK(...)                                               \
    do {                                                                \
        auto checked_result = (__VA_ARGS__);                            \
        if (!checked_result)                                            \
            return ::tl::unexpected(std::move(checked_result).error()); \
    } while (false)
