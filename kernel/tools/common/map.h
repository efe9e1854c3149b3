// SPDX-License-Identifier: GPL-2.0-only
// The cluster's map: which node id has which IPv4 address.
//
// A line of /etc/openmosix.map is "ID HOST COUNT": COUNT nodes from ID on, at HOST and the
// addresses that follow it. HOST is an address or a name of /etc/hosts. "ID ADDRESS ALIAS" lines
// (gateways) are read and left out. # starts a comment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace mosrig {

inline constexpr const char* default_map_path = "/etc/openmosix.map";
inline constexpr const char* default_hosts_path = "/etc/hosts";

struct Host {
    std::string name;
    std::uint32_t address;  // IPv4, host byte order
};

struct MapNode {
    std::uint32_t id;
    std::uint32_t address;  // IPv4, host byte order
    std::string name;       // a name if there is one, else the address in dots
};

// Parses dotted IPv4 into host byte order.
std::optional<std::uint32_t> parse_address(std::string_view text);

// Dotted form of an address in host byte order.
std::string format_address(std::uint32_t address);

// Decimal number without sign, blanks or anything behind it; nothing if above `largest`.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t largest);

// IPv4 lines of /etc/hosts, one entry a name, in the file's order. Never fails: lines that are
// not understood are skipped, as the C library does.
std::vector<Host> parse_hosts(std::string_view text);

// Parses a map. The error names the line.
Result<std::vector<MapNode>> parse_map(std::string_view text, const std::vector<Host>& hosts);

// Reads and parses the map and the hosts file. A missing hosts file counts as empty.
Result<std::vector<MapNode>> load_map(const std::string& map_path, const std::string& hosts_path);

// Node meant by a user: a name in the map or in hosts, or an address. Not a plain number.
std::optional<std::uint32_t> find_node(std::string_view text, const std::vector<MapNode>& nodes,
                                       const std::vector<Host>& hosts);

}  // namespace mosrig
