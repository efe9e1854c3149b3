// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/subject.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <sstream>

#include "common/file.h"

namespace mosrig {
namespace {

constexpr std::size_t largest_maps = 256U << 20U;  // 65530 mappings have about 50 MB of smaps

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

std::vector<Mapping> read_mappings(const Process& process, const char* file, bool& readable) {
    const auto text = read_text(fmt::format("{}/{}", process.folder(), file), largest_maps);
    readable = text.has_value();
    return text ? parse_mappings(*text) : std::vector<Mapping>{};
}

}  // namespace

std::string field_of(const std::string& text, const std::string& field) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(field + ":")) {
            const std::size_t value = line.find_first_not_of(" \t", field.size() + 1);
            return value == std::string::npos ? "" : line.substr(value);
        }
    }
    return "";
}

std::string link_target(const std::string& path) {
    std::array<char, PATH_MAX> target{};
    return ::readlink(path.c_str(), target.data(), target.size() - 1) > 0 ? target.data() : "";
}

Subject::Subject(pid_t pid, Places places)
    : places_(std::move(places)), process_(pid, places_.proc()) {}

std::string Subject::name_of(pid_t pid) const {
    const auto text = Process(pid, places_.proc()).read("comm");
    return text ? first_line(*text) : "?";
}

std::string Subject::title_of(pid_t pid) const {
    return fmt::format("{} ({})", pid, name_of(pid));
}

std::string Subject::command_of(pid_t pid) const {
    std::string words = Process(pid, places_.proc()).read("cmdline").value_or("");
    while (!words.empty() && words.back() == '\0') {
        words.pop_back();
    }
    std::replace(words.begin(), words.end(), '\0', ' ');
    return words;
}

std::string Subject::status(const std::string& field) const {
    return status_of(pid(), field);
}

std::string Subject::status_of(pid_t pid, const std::string& field) const {
    return field_of(Process(pid, places_.proc()).read("status").value_or(""), field);
}

std::vector<pid_t> Subject::ancestors() const {
    std::vector<pid_t> line;
    for (auto stat = process_.stat(); stat && stat->parent > 0 && line.size() < 1000;
         stat = Process(line.back(), places_.proc()).stat()) {
        line.push_back(stat->parent);
    }
    return line;
}

std::vector<pid_t> Subject::all() const {
    std::vector<pid_t> pids;
    for (const std::uint32_t number : numbers_in(places_.proc())) {
        pids.push_back(static_cast<pid_t>(number));
    }
    return pids;
}

const std::vector<Mapping>& Subject::mappings() const {
    if (!mappings_) {
        mappings_ = details_of(pid());
    }
    return *mappings_;
}

std::vector<Mapping> Subject::mappings_of(pid_t pid) const {
    const auto known = others_.find(pid);
    if (known != others_.end()) {
        return known->second;
    }
    bool readable = false;
    return others_[pid] = read_mappings(Process(pid, places_.proc()), "maps", readable);
}

std::vector<Mapping> Subject::details_of(pid_t pid) const {
    const Process process(pid, places_.proc());
    bool readable = false;
    auto mappings = read_mappings(process, "smaps", readable);
    return readable ? mappings : read_mappings(process, "maps", readable);
}

std::vector<Descriptor> Subject::descriptors() const {
    std::vector<Descriptor> found;
    const std::string folder = process_.folder() + "/fd";
    for (const std::uint32_t number : numbers_in(folder)) {
        std::string target = link_target(fmt::format("{}/{}", folder, number));
        if (!target.empty()) {
            found.push_back({static_cast<int>(number), std::move(target)});
        }
    }
    return found;
}

std::vector<Thread> Subject::threads() const {
    std::vector<Thread> found;
    const std::string folder = process_.folder() + "/task";
    for (const std::uint32_t tid : numbers_in(folder)) {
        const auto name = read_text(fmt::format("{}/{}/comm", folder, tid));
        found.push_back({static_cast<pid_t>(tid), name ? first_line(*name) : "?"});
    }
    return found;
}

std::optional<Scheduling> Subject::scheduling_of(pid_t tid) const {
    const auto text = read_text(fmt::format("{}/task/{}/stat", process_.folder(), tid));
    const std::size_t close = text ? text->rfind(')') : std::string::npos;
    if (close == std::string::npos) {
        return std::nullopt;
    }
    // Behind the name comes field 3; rt_priority is field 40, policy 41.
    std::istringstream rest(text->substr(close + 1));
    std::string skipped;
    for (int number = 3; number < 40; number++) {
        rest >> skipped;
    }
    Scheduling scheduling{};
    rest >> scheduling.priority >> scheduling.policy;
    return rest ? std::optional(scheduling) : std::nullopt;
}

bool Subject::open() const {
    // Opened as for tracing: what may be opened may be read.
    return read_text(process_.folder() + "/maps", largest_maps).has_value() &&
           ::access((process_.folder() + "/fd").c_str(), R_OK) == 0;
}

}  // namespace mosrig
