// SPDX-License-Identifier: GPL-2.0-only
#include "common/map.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <algorithm>
#include <charconv>

#include "common/file.h"
#include "openmosix.h"

namespace mosrig {
namespace {

// As many lines as setpe took.
constexpr std::size_t max_entries = 256;

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
    constexpr std::string_view blank = " \t\r";
    line = line.substr(0, line.find('#'));
    std::vector<std::string_view> words;
    for (;;) {
        const std::size_t start = line.find_first_not_of(blank);
        if (start == std::string_view::npos) {
            return words;
        }
        line.remove_prefix(start);
        const std::size_t end = std::min(line.find_first_of(blank), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

std::optional<std::uint32_t> resolve(std::string_view host, const std::vector<Host>& hosts) {
    if (auto address = parse_address(host)) {
        return address;
    }
    const auto found =
        std::find_if(hosts.begin(), hosts.end(), [&](const Host& h) { return h.name == host; });
    return found != hosts.end() ? std::optional(found->address) : std::nullopt;
}

std::string name_of(std::uint32_t address, const std::vector<Host>& hosts) {
    const auto found = std::find_if(hosts.begin(), hosts.end(),
                                    [&](const Host& h) { return h.address == address; });
    return found != hosts.end() ? found->name : format_address(address);
}

Result<void> add_range(std::vector<MapNode>& nodes, const std::vector<std::string_view>& words,
                       const std::vector<Host>& hosts) {
    if (words.size() != 3) {
        return fail("expected 'ID HOST COUNT'");
    }
    const auto id = parse_number(words[0], OM_MAX_NODE);
    if (!id || *id == 0) {
        return fail(fmt::format("'{}' is no node id (1 to {})", words[0], OM_MAX_NODE));
    }
    const auto address = resolve(words[1], hosts);
    if (!address) {
        return fail(fmt::format("'{}' is neither an address nor a name in hosts", words[1]));
    }
    if (words[2] == "ALIAS" || words[2] == "0") {
        return {};
    }
    const auto count = parse_number(words[2], 255);
    if (!count) {
        return fail(fmt::format("'{}' is no count of nodes (1 to 255, or ALIAS)", words[2]));
    }
    if (*count > 1 && !parse_address(words[1])) {
        return fail("a range of several nodes needs an address, not a name");
    }
    if (*id + *count - 1 > OM_MAX_NODE || (*address & 0xffU) + *count - 1 > 254) {
        return fail("the range of nodes is too long");
    }
    for (std::uint32_t i = 0; i < *count; i++) {
        const MapNode fresh{*id + i, *address + i, ""};
        for (const MapNode& old : nodes) {
            if (old.id == fresh.id) {
                return fail(fmt::format("node {} is there already", fresh.id));
            }
            if (old.address == fresh.address) {
                return fail(
                    fmt::format("{} is node {} already", format_address(fresh.address), old.id));
            }
        }
        nodes.push_back(fresh);
        nodes.back().name =
            parse_address(words[1]) ? name_of(fresh.address, hosts) : std::string(words[1]);
    }
    return {};
}

}  // namespace

std::optional<std::uint32_t> parse_address(std::string_view text) {
    in_addr address{};
    if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) {
        return std::nullopt;
    }
    return ntohl(address.s_addr);
}

std::string format_address(std::uint32_t address) {
    return fmt::format("{}.{}.{}.{}", address >> 24U, (address >> 16U) & 0xffU,
                       (address >> 8U) & 0xffU, address & 0xffU);
}

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t largest) {
    std::uint32_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || value > largest) {
        return std::nullopt;
    }
    return value;
}

std::vector<Host> parse_hosts(std::string_view text) {
    std::vector<Host> hosts;
    for (const std::string_view line : lines_of(text)) {
        const auto words = words_of(line);
        const auto address = words.empty() ? std::nullopt : parse_address(words[0]);
        if (!address) {
            continue;
        }
        for (std::size_t i = 1; i < words.size(); i++) {
            hosts.push_back({std::string(words[i]), *address});
        }
    }
    return hosts;
}

Result<std::vector<MapNode>> parse_map(std::string_view text, const std::vector<Host>& hosts) {
    std::vector<MapNode> nodes;
    std::size_t entries = 0;
    std::size_t number = 0;
    for (const std::string_view line : lines_of(text)) {
        number++;
        const auto words = words_of(line);
        if (words.empty()) {
            continue;
        }
        if (++entries > max_entries) {
            return fail(fmt::format("line {}: more than {} entries", number, max_entries));
        }
        if (auto added = add_range(nodes, words, hosts); !added) {
            return fail(fmt::format("line {}: {}", number, added.error().text));
        }
    }
    if (nodes.empty()) {
        return fail("it names no node");
    }
    return nodes;
}

Result<std::vector<MapNode>> load_map(const std::string& map_path, const std::string& hosts_path) {
    const auto text = read_text(map_path);
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto hosts = parse_hosts(read_text(hosts_path).value_or(""));
    auto nodes = parse_map(*text, hosts);
    if (!nodes) {
        return fail(map_path + ": " + nodes.error().text);
    }
    return nodes;
}

std::optional<std::uint32_t> find_node(std::string_view text, const std::vector<MapNode>& nodes,
                                       const std::vector<Host>& hosts) {
    const auto address = resolve(text, hosts);
    for (const MapNode& node : nodes) {
        if (node.name == text || (address && *address == node.address)) {
            return node.id;
        }
    }
    return std::nullopt;
}

}  // namespace mosrig
