// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/mappings.h"

#include <fmt/format.h>
#include <array>
#include <charconv>
#include <optional>

namespace mosrig {
namespace {

constexpr std::string_view deleted = " (deleted)";

std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end);
    return word;
}

template <class Number>
bool read_number(std::string_view text, Number& value, int base) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size();
}

// "55d0c0000000-55d0c0001000 rw-s 00000000 fe:01 123    /path with blanks"
std::optional<Mapping> parse_head(std::string_view line) {
    Mapping mapping;
    const std::string_view range = take_word(line);
    const std::size_t dash = range.find('-');
    if (dash == std::string_view::npos || !read_number(range.substr(0, dash), mapping.start, 16) ||
        !read_number(range.substr(dash + 1), mapping.end, 16)) {
        return std::nullopt;
    }
    mapping.access = take_word(line);
    (void)take_word(line);  // offset
    mapping.device = take_word(line);
    if (mapping.access.size() != 4 || !read_number(take_word(line), mapping.inode, 10)) {
        return std::nullopt;
    }
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    mapping.path = line;
    return mapping;
}

void parse_detail(std::string_view line, Mapping& mapping) {
    const std::string_view name = take_word(line);
    if (name == "VmFlags:") {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        mapping.flags = line;
        if (!mapping.flags.empty() && mapping.flags.back() != ' ') {
            mapping.flags += ' ';
        }
    } else if (name == "KernelPageSize:") {
        (void)read_number(take_word(line), mapping.page_kib, 10);
    } else if (name == "ProtectionKey:") {
        (void)read_number(take_word(line), mapping.key, 10);
    }
}

}  // namespace

bool Mapping::has_flag(std::string_view flag) const {
    for (std::size_t at = 0; at + 2 <= flags.size(); at += 3) {
        if (std::string_view(flags).substr(at, 2) == flag) {
            return true;
        }
    }
    return false;
}

bool Mapping::shared_writable() const {
    return flags.empty() ? shared() && writable() : has_flag("sh");
}

std::string Mapping::file() const {
    return path.ends_with(deleted) ? path.substr(0, path.size() - deleted.size()) : path;
}

std::string Mapping::range() const {
    return fmt::format("{:x}-{:x} ({})", start, end, format_size(end - start));
}

std::vector<Mapping> parse_mappings(std::string_view text) {
    std::vector<Mapping> mappings;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        // A detail's name ends with a colon, and no address does.
        if (auto head = parse_head(line)) {
            mappings.push_back(std::move(*head));
        } else if (!mappings.empty()) {
            parse_detail(line, mappings.back());
        }
    }
    return mappings;
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size()) {
        value /= 1024;
        unit++;
    }
    const bool whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
    return whole ? fmt::format("{:.0f} {}", value, units.at(unit))
                 : fmt::format("{:.1f} {}", value, units.at(unit));
}

}  // namespace mosrig
