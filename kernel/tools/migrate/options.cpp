// SPDX-License-Identifier: GPL-2.0-only
#include "migrate/options.h"

#include <charconv>
#include <limits>

#include "common/map.h"

namespace mosrig {
namespace {

constexpr double longest_wait = 1e6;  // seconds

Result<std::chrono::milliseconds> parse_seconds(const std::string& text) {
    double seconds = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, seconds);
    if (error != std::errc{} || stop != end || !(seconds >= 0 && seconds <= longest_wait)) {
        return fail("'" + text + "' is no number of seconds");
    }
    return std::chrono::milliseconds(static_cast<long>(seconds * 1000));
}

}  // namespace

Result<MigrateOptions> parse_migrate_options(const std::vector<std::string>& arguments) {
    MigrateOptions options;
    std::size_t next = 0;
    while (next < arguments.size() && arguments[next].size() > 1 && arguments[next][0] == '-') {
        const std::string& word = arguments[next++];
        if (word == "--") {
            break;
        }
        if (word.substr(0, 2) != "-t") {
            return fail("unknown option " + word);
        }
        if (word.size() == 2 && next == arguments.size()) {
            return fail("-t needs a number of seconds");
        }
        const auto patience = parse_seconds(word.size() > 2 ? word.substr(2) : arguments[next++]);
        if (!patience) {
            return tl::unexpected(patience.error());
        }
        options.patience = *patience;
    }
    if (arguments.size() - next != 2) {
        return fail("expected a PID and a node");
    }
    const auto pid = parse_number(arguments[next], std::numeric_limits<pid_t>::max());
    if (!pid || *pid == 0) {
        return fail("'" + arguments[next] + "' is no process id");
    }
    options.pid = static_cast<pid_t>(*pid);
    options.target = arguments[next + 1];
    return options;
}

}  // namespace mosrig
