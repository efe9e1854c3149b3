// SPDX-License-Identifier: GPL-2.0-only
#include "common/hpc.h"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <sstream>

#include "common/file.h"
#include "common/process.h"
#include "openmosix.h"

namespace mosrig {
namespace {

Result<long> number_in(const std::string& path) {
    const auto text = read_text(path);
    if (!text) {
        return tl::unexpected(text.error());
    }
    long value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end == text->data()) {
        return fail(path + " holds no number", EINVAL);
    }
    return value;
}

}  // namespace

std::string status_words(long status) {
    if (status <= 0 || (status & status_configured) == 0) {
        return "not configured";
    }
    std::string words = (status & status_up) != 0 ? "up" : "down";
    for (const auto& [bit, word] : {std::pair{status_block, "takes no guests"},
                                    {status_stay, "its processes stay"},
                                    {status_quiet, "quiet"}}) {
        if ((status & bit) != 0) {
            words += std::string(", ") + word;
        }
    }
    return words;
}

Result<std::string> Hpc::admin(const std::string& name) const {
    return read_text(places_.hpc() + "/admin/" + name);
}

Result<long> Hpc::admin_number(const std::string& name) const {
    return number_in(places_.hpc() + "/admin/" + name);
}

Result<void> Hpc::set_admin(const std::string& name, const std::string& text) const {
    return write_text(places_.hpc() + "/admin/" + name, text);
}

std::uint32_t Hpc::self() const {
    const auto id = admin_number("mospe");
    return id && *id > 0 && *id <= OM_MAX_NODE ? static_cast<std::uint32_t>(*id) : 0;
}

std::vector<std::uint32_t> Hpc::nodes() const {
    return numbers_in(places_.hpc() + "/nodes");
}

NodeFigures Hpc::figures(std::uint32_t id) const {
    const auto value = [&](const char* name) {
        const auto number = number_in(fmt::format("{}/nodes/{}/{}", places_.hpc(), id, name));
        return number ? *number : -static_cast<long>(number.error().code);
    };
    return {.id = id,
            .cpus = value("cpus"),
            .load = value("load"),
            .speed = value("speed"),
            .util = value("util"),
            .mem = value("mem"),
            .rmem = value("rmem"),
            .tmem = value("tmem"),
            .status = value("status")};
}

Result<std::vector<MapNode>> Hpc::config() const {
    const auto text = admin("config");
    if (!text) {
        return load_map(places_.map(), places_.hosts());
    }
    std::map<std::uint32_t, std::string> names;
    for (Host& host : parse_hosts(read_text(places_.hosts()).value_or(""))) {
        names.emplace(host.address, std::move(host.name));
    }
    // Not by parse_map(): it takes as many lines as a person writes, here is one for each node.
    std::vector<MapNode> nodes;
    std::istringstream lines(*text);
    std::uint32_t id = 0;
    std::string dotted;
    std::uint32_t count = 0;
    while (lines >> id >> dotted >> count) {
        const auto address = parse_address(dotted);
        for (std::uint32_t i = 0; address && i < count; i++) {
            const auto name = names.find(*address + i);
            nodes.push_back({id + i, *address + i,
                             name != names.end() ? name->second : format_address(*address + i)});
        }
    }
    if (!lines.eof()) {
        return fail(places_.hpc() + "/admin/config is not understood");
    }
    return nodes;
}

std::map<std::string, std::string> Hpc::stats() const {
    return parse_values(read_text(places_.hpc() + "/stats").value_or(""));
}

std::map<int, long> Hpc::guests() const {
    std::map<int, long> guests;
    const std::string folder = places_.hpc() + "/remote";
    for (const std::uint32_t pid : numbers_in(folder)) {
        if (const auto from = number_in(fmt::format("{}/{}/from", folder, pid))) {
            guests[static_cast<int>(pid)] = *from;
        }
    }
    return guests;
}

std::vector<NodeRange> ranges_of(std::vector<MapNode> nodes) {
    std::sort(nodes.begin(), nodes.end(),
              [](const MapNode& a, const MapNode& b) { return a.id < b.id; });
    std::vector<NodeRange> ranges;
    for (const MapNode& node : nodes) {
        // As in a map: a range ends with the last byte of its addresses.
        if (!ranges.empty() && ranges.back().id + ranges.back().count == node.id &&
            ranges.back().address + ranges.back().count == node.address &&
            (ranges.back().address >> 8U) == (node.address >> 8U)) {
            ranges.back().count++;
        } else {
            ranges.push_back({node.id, node.address, 1});
        }
    }
    return ranges;
}

Result<MapNode> node_meant(std::string_view word, const Hpc& hpc) {
    const auto nodes = hpc.config();
    if (!nodes) {
        return tl::unexpected(nodes.error());
    }
    const auto hosts = parse_hosts(read_text(hpc.places().hosts()).value_or(""));
    auto id = parse_number(word, OM_MAX_NODE);
    if (id && *id == 0) {
        id = hpc.self();
    } else if (!id) {
        id = find_node(word, *nodes, hosts);
    }
    const auto found = std::find_if(nodes->begin(), nodes->end(),
                                    [&](const MapNode& node) { return id && node.id == *id; });
    if (found == nodes->end()) {
        return fail(fmt::format("ENXIO: there is no node '{}' in this cluster", word), ENXIO);
    }
    return *found;
}

}  // namespace mosrig
