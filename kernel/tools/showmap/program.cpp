// SPDX-License-Identifier: GPL-2.0-only
// showmap: the cluster's nodes as this one knows them. See showmap(1).
#include <fmt/format.h>

#include "common/begin.h"

namespace mosrig {
namespace {

constexpr const char* program_name = "showmap";
constexpr const char* usage_text = "usage: showmap [--root DIR]\n";

Result<Words> parse_options(const Words& words) {
    return words.empty() ? Result<Words>(words) : fail("unknown word " + words[0]);
}

}  // namespace

int showmap_program(Words words) {
    const auto call = begin_on_openmosix(program_name, usage_text, std::move(words), parse_options);
    if (!call) {
        return call.error();
    }
    const Hpc& hpc = call->hpc;
    const auto nodes = hpc.config();
    if (!nodes) {
        complain(program_name, nodes.error().text);
        return exit_failed;
    }
    const std::uint32_t self = hpc.self();
    std::string text = self == 0 ? "This node is not configured.\n\n"
                                 : fmt::format("My Node-Id: 0x{:04x}\n\n", self);
    text += "Base Node-Id Address          Count\n------------ ---------------- -----\n";
    for (const NodeRange& range : ranges_of(*nodes)) {
        text += fmt::format("0x{:04x}       {:16} {}\n", range.id, format_address(range.address),
                            range.count);
    }
    return put(text);
}

}  // namespace mosrig
