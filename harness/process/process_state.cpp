// SPDX-License-Identifier: MIT
#include "harness/process/process_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <sstream>

namespace mosrig {

namespace {

constexpr std::int64_t tick_ns = 10000000;

std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\n";
    const size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

template <class T>
std::optional<T> to_number(std::string_view text) {
    text = trim(text);
    T number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

// A /proc file that holds one number.
template <class T>
Result<T> number_in(const Result<std::string>& file, std::string_view name) {
    if (!file) {
        return tl::unexpected(file.error());
    }
    if (const std::optional<T> number = to_number<T>(*file); number) {
        return *number;
    }
    return infra_error(fmt::format("{} holds '{}', which is no number", name, trim(*file)));
}

std::vector<std::string> split_words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(std::move(word));
    }
    return words;
}

}  // namespace

Result<TaskStat> parse_stat(std::string_view line) {
    // comm may hold anything, blanks and parentheses too: it ends at the last one.
    const size_t open = line.find('(');
    const size_t close = line.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return infra_error(fmt::format("'{}' is no line of /proc/PID/stat", trim(line)));
    }
    TaskStat stat;
    stat.comm = line.substr(open + 1, close - open - 1);
    const std::vector<std::string> rest = split_words(std::string(line.substr(close + 1)));
    constexpr size_t group = 2;
    constexpr size_t front_group = 5;
    constexpr size_t utime = 11;
    constexpr size_t stime = 12;
    const std::optional<std::int64_t> pid = to_number<std::int64_t>(line.substr(0, open));
    if (!pid || rest.size() <= stime) {
        return infra_error(fmt::format("'{}' is no line of /proc/PID/stat", trim(line)));
    }
    stat.pid = *pid;
    stat.state = rest[0][0];
    stat.ppid = to_number<std::int64_t>(rest[1]).value_or(0);
    stat.utime = to_number<std::int64_t>(rest[utime]).value_or(0);
    stat.stime = to_number<std::int64_t>(rest[stime]).value_or(0);
    stat.in_front = rest[group] == rest[front_group];
    return stat;
}

std::string Migstat::text(const std::string& name) const {
    const auto found = values.find(name);
    return found == values.end() ? "?" : found->second;
}

std::optional<std::int64_t> Migstat::number(const std::string& name) const {
    return to_number<std::int64_t>(text(name));
}

std::optional<std::int64_t> Migstat::freeze_ns() const {
    const std::optional<std::int64_t> frozen = number("frozen_ns");
    const std::optional<std::int64_t> resumed = number("resumed_ns");
    if (!frozen || !resumed || *frozen <= 0 || *resumed < *frozen) {
        return std::nullopt;
    }
    return *resumed - *frozen;
}

std::optional<std::int64_t> Migstat::total_ns() const {
    const std::optional<std::int64_t> requested = number("requested_ns");
    const std::optional<std::int64_t> released = number("released_ns");
    if (!requested || !released || *requested <= 0 || *released < *requested) {
        return std::nullopt;
    }
    return *released - *requested;
}

Migstat parse_migstat(std::string_view text) {
    Migstat migstat;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        const size_t blank = line.find(' ');
        if (blank != std::string::npos) {
            migstat.values[line.substr(0, blank)] = trim(std::string_view(line).substr(blank));
        }
    }
    return migstat;
}

Result<ProcessState> read_process(Machine& machine, std::int64_t pid, const Deadline& deadline) {
    const std::string folder = fmt::format("/proc/{}/", pid);
    MOSRIG_TRY(const std::vector<Result<std::string>> files,
               machine.read_files(
                   {folder + "lock", folder + "cantmove", folder + "where", folder + "goto",
                    folder + "nmigs", folder + "migstat", folder + "stat", folder + "status"},
                   deadline));
    ProcessState state;
    MOSRIG_TRY(state.lock, number_in<int>(files.at(0), "lock"));
    if (!files.at(1)) {
        return tl::unexpected(files.at(1).error());
    }
    state.cantmove = split_words(*files.at(1));
    MOSRIG_TRY(state.where, number_in<int>(files.at(2), "where"));
    MOSRIG_TRY(state.pending, number_in<int>(files.at(3), "goto"));
    MOSRIG_TRY(state.nmigs, number_in<std::int64_t>(files.at(4), "nmigs"));
    MOSRIG_TRY(const std::string migstat, files.at(5));
    state.migstat = parse_migstat(migstat);
    MOSRIG_TRY(const std::string stat, files.at(6));
    MOSRIG_TRY(state.stat, parse_stat(stat));
    MOSRIG_TRY(const std::string status, files.at(7));
    const size_t uid = status.find("\nUid:");
    if (uid != std::string::npos) {
        state.uids = status.substr(uid + 1, status.find('\n', uid + 1) - uid - 1);
    }
    return state;
}

Result<std::vector<TaskStat>> list_tasks(Machine& machine, const Deadline& deadline) {
    MOSRIG_TRY(const std::string listing, machine.read_all("stat", deadline));
    std::vector<TaskStat> tasks;
    std::istringstream lines(listing);
    for (std::string line; std::getline(lines, line);) {
        if (Result<TaskStat> task = parse_stat(line); task) {
            tasks.push_back(std::move(*task));
        }
    }
    if (tasks.empty()) {
        return infra_error(fmt::format("{} lists no process at all", machine.name()));
    }
    return tasks;
}

std::string body_name(std::int64_t pid) {
    return fmt::format("remote({})", pid);
}

Result<NodeTime> read_node_time(Machine& machine, const Deadline& deadline) {
    MOSRIG_TRY(const std::vector<Result<std::string>> files,
               machine.read_files({"/proc/stat", "/proc/uptime"}, deadline));
    MOSRIG_TRY(const std::string stat, files.at(0));
    MOSRIG_TRY(const std::string uptime, files.at(1));
    const std::vector<std::string> words = split_words(stat.substr(0, stat.find('\n')));
    const std::vector<std::string> times = split_words(uptime);
    if (words.size() < 3 || times.empty()) {
        return infra_error(fmt::format("cannot read the CPU time of {}", machine.name()));
    }
    NodeTime time;
    // Niced user time is user time too.
    time.user = to_number<std::int64_t>(words[1]).value_or(0) +
                to_number<std::int64_t>(words[2]).value_or(0);
    for (size_t field = 1; field < words.size(); ++field) {
        time.counted += to_number<std::int64_t>(words[field]).value_or(0);
    }
    time.up = std::lround(to_number<double>(times[0]).value_or(0) * 100);
    return time;
}

Result<std::int64_t> read_exec_ns(Machine& machine, std::int64_t pid, const Deadline& deadline) {
    const std::string folder = fmt::format("/proc/{}/", pid);
    std::vector<Result<std::string>> files;
    const auto away_ns = [&](size_t file) {
        return files.at(file) ? parse_migstat(*files.at(file)).number("away_cpu_ns").value_or(0)
                              : 0;
    };
    // A body's report between two of the files would be counted in one and not in the other.
    do {
        MOSRIG_TRY(files, machine.read_files({folder + "migstat", folder + "schedstat",
                                              folder + "stat", folder + "migstat"},
                                             deadline));
    } while (away_ns(0) != away_ns(3) && !deadline.expired());
    if (files.at(1)) {
        const std::vector<std::string> words = split_words(*files.at(1));
        const std::int64_t exec_ns =
            words.empty() ? 0 : to_number<std::int64_t>(words[0]).value_or(0);
        if (exec_ns > 0) {
            return exec_ns - away_ns(0);
        }
    }
    MOSRIG_TRY(const std::string line, files.at(2));
    MOSRIG_TRY(const TaskStat stat, parse_stat(line));
    return stat.cpu_ticks() * tick_ns - away_ns(0);
}

std::string join_words(const std::vector<std::string>& words) {
    return words.empty() ? "(none)" : fmt::format("{}", fmt::join(words, " "));
}

}  // namespace mosrig
