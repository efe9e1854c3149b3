// SPDX-License-Identifier: MIT
#include "harness/process/mover.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <regex>

namespace mosrig {

namespace {

// Exit codes of migrate.
constexpr int tool_moved = 0;
constexpr int tool_refused = 1;
constexpr int tool_pending = 4;

std::string one_line(std::string text) {
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    for (char& letter : text) {
        letter = letter == '\n' ? ' ' : letter;
    }
    return text;
}

// The name of an errno that a message of migrate mentions.
std::string errno_in(const std::string& message) {
    static const std::regex name("\\bE[A-Z0-9]{3,}\\b");
    std::smatch match;
    return std::regex_search(message, match, name) ? match.str() : "";
}

}  // namespace

std::string home_reason(const ProcessState& state) {
    return state.migstat.text("home_reason");
}

Result<MoveAnswer> request_by_file(Machine& home, std::int64_t pid, int node, int user,
                                   const Deadline& deadline) {
    MOSRIG_TRY(const int error, home.write_file(fmt::format("/proc/{}/goto", pid),
                                                std::to_string(node), deadline, user));
    if (error == 0) {
        return MoveAnswer{Answer::moves, {}, {}};
    }
    return MoveAnswer{Answer::refused, errno_name(error), std::strerror(error)};
}

Result<MoveAnswer> request_by_tool(Machine& home, std::int64_t pid, int node, int user,
                                   const Deadline& deadline) {
    // The tool gives up first, so that its own words are heard.
    const auto patience = std::chrono::ceil<std::chrono::seconds>(deadline.remaining()) * 3 / 4;
    const std::string target = node == 0 ? "home" : std::to_string(node);
    MOSRIG_TRY(const CommandResult result,
               home.run({"migrate", "-t", std::to_string(std::max<long>(1, patience.count())),
                         std::to_string(pid), target},
                        deadline, user));
    const std::string message = one_line(result.err.empty() ? result.out : result.err);
    switch (result.status) {
        case tool_moved:
            return MoveAnswer{Answer::moves, {}, message};
        case tool_refused:
            return MoveAnswer{Answer::refused, errno_in(message), message};
        case tool_pending:
            return tl::unexpected(Error{
                ErrorKind::timeout, "migrate gave up waiting: " + message, {}, home.name(), 0});
        default:
            return infra_error(fmt::format("migrate on {} ended with status {}: {}", home.name(),
                                           result.status, message));
    }
}

Result<ProcessState> await_place(Machine& home, std::int64_t pid, int node,
                                 const Deadline& deadline, Millis interval) {
    ProcessState state;
    const auto over = [&]() -> Result<bool> {
        MOSRIG_TRY(state, read_process(home, pid, deadline));
        const auto released = state.migstat.number("released_ns").value_or(0);
        const auto requested = state.migstat.number("requested_ns").value_or(0);
        if (state.where != node && state.migstat.text("state") == "home" &&
            state.migstat.text("result") == "failed") {
            const int number = state.error();
            return tl::unexpected(Error{
                ErrorKind::remote,
                fmt::format("the move of {} to node {} failed: {}", pid, node, errno_name(number)),
                {},
                home.name(),
                number});
        }
        const bool done = released > 0 && released >= requested;
        const bool came_back = node != 0 && state.where == 0 &&
                               state.migstat.text("state") == "home" &&
                               state.migstat.text("result") == "moved";
        return done && (state.where == node || came_back);
    };
    const Result<void> waited = wait_until(deadline, over, interval);
    if (!waited) {
        Error error = waited.error();
        if (error.kind == ErrorKind::timeout) {
            error.what +=
                fmt::format("; where is {}, state {}, result {}, errno {}, home_reason {}",
                            state.where, state.migstat.text("state"), state.migstat.text("result"),
                            state.migstat.text("errno"), home_reason(state));
        }
        return tl::unexpected(std::move(error));
    }
    return state;
}

std::string errno_name(int number) {
    const char* name = strerrorname_np(number);
    return name != nullptr ? name : fmt::format("errno {}", number);
}

}  // namespace mosrig
