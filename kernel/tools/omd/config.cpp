// SPDX-License-Identifier: GPL-2.0-only
#include "omd/config.h"

#include <fmt/format.h>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "common/file.h"

namespace mosrig {
namespace {

constexpr std::string_view blank = " \t\r";

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::optional<double> decimal(std::string_view text, double least, double most) {
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole && value >= least && value <= most ? std::optional(value) : std::nullopt;
}

Result<void> take_seconds(std::string_view key, std::string_view value, double least, double most,
                          policy::Millis& out) {
    const auto seconds = decimal(value, least, most);
    if (!seconds) {
        return fail(fmt::format("{} must be a number of seconds from {} to {}, not '{}'", key,
                                least, most, value));
    }
    out = static_cast<policy::Millis>(std::lround(*seconds * 1000));
    return {};
}

Result<void> take_path(std::string_view key, std::string_view value, std::string& out) {
    if (!value.starts_with('/')) {
        return fail(fmt::format("{} must be an absolute path, not '{}'", key, value));
    }
    out = value;
    return {};
}

Result<void> set(Config& config, std::string_view key, std::string_view value) {
    if (key == "map") {
        return take_path(key, value, config.map);
    }
    if (key == "key") {
        return take_path(key, value, config.key);
    }
    if (key == "period") {
        return take_seconds(key, value, 0.1, 60, config.period);
    }
    if (key == "residency") {
        return take_seconds(key, value, 0, 3600, config.residency);
    }
    if (key == "forget") {
        return take_seconds(key, value, 30, 86400, config.forget);
    }
    if (key == "fanout") {
        const auto number = parse_number(value, 8);
        if (!number || *number == 0) {
            return fail(fmt::format("fanout must be a number from 1 to 8, not '{}'", value));
        }
        config.fanout = *number;
        return {};
    }
    if (key == "balance") {
        if (value != "yes" && value != "no") {
            return fail(fmt::format("balance must be yes or no, not '{}'", value));
        }
        config.balance = value == "yes";
        return {};
    }
    if (key == "discovery") {
        if (value != "map" && value != "announce") {
            return fail(fmt::format("discovery must be map or announce, not '{}'", value));
        }
        config.discovery = value == "map" ? Config::Discovery::map : Config::Discovery::announce;
        return {};
    }
    if (key == "interface") {
        if (value.empty() || value.size() > 15 || value.find('/') != std::string_view::npos) {
            return fail(fmt::format("'{}' is no name of an interface", value));
        }
        config.interface = value;
        return {};
    }
    return fail(
        fmt::format("there is no '{}'; there are: balance, discovery, fanout, forget, interface, "
                    "key, map, period, residency",
                    key));
}

}  // namespace

Result<Config> parse_config(std::string_view text) {
    Config config;
    std::set<std::string, std::less<>> seen;
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        number++;
        line = trim(line.substr(0, line.find('#')));
        if (line.empty()) {
            continue;
        }
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            return fail(fmt::format("line {}: expected 'key = value', not '{}'", number, line));
        }
        const std::string_view key = trim(line.substr(0, equals));
        if (!seen.emplace(key).second) {
            return fail(fmt::format("line {}: {} is set twice", number, key));
        }
        if (auto done = set(config, key, trim(line.substr(equals + 1))); !done) {
            return fail(fmt::format("line {}: {}", number, done.error().text));
        }
    }
    if (config.discovery == Config::Discovery::announce && config.interface.empty()) {
        return fail("discovery = announce needs 'interface = NAME', the fabric's");
    }
    return config;
}

Result<Config> load_config(const std::string& path, bool must_exist) {
    const auto text = read_text(path);
    if (!text) {
        if (text.error().code == ENOENT && !must_exist) {
            return Config{};
        }
        return tl::unexpected(text.error());
    }
    auto config = parse_config(*text);
    if (!config) {
        return fail(path + ": " + config.error().text);
    }
    return config;
}

}  // namespace mosrig
