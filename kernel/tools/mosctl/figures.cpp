// SPDX-License-Identifier: GPL-2.0-only
#include "mosctl/figures.h"

#include <fmt/format.h>
#include <unistd.h>
#include <array>

#include "mosctl/name.h"
#include "openmosix.h"

namespace mosrig {
namespace {

struct Figure {
    const char* command;
    long NodeFigures::*value;
    bool pages;
};

constexpr std::array figure_kinds{
    Figure{"getload", &NodeFigures::load, false}, Figure{"getspeed", &NodeFigures::speed, false},
    Figure{"getutil", &NodeFigures::util, false}, Figure{"getmem", &NodeFigures::mem, true},
    Figure{"getfree", &NodeFigures::rmem, true},
};

constexpr const char* not_configured =
    "this node is not configured: start omd with '/etc/init.d/openmosix start', or give it a table "
    "with 'setpe -w'";

// The node of words[1], or this one.
Result<std::uint32_t> node_of(const Hpc& hpc, const Words& words) {
    if (words.size() > 1 && words[1] != "0") {
        return node_meant(words[1], hpc).map([](const MapNode& node) { return node.id; });
    }
    const std::uint32_t self = hpc.self();
    if (self == 0) {
        return fail(not_configured);
    }
    return self;
}

int refused(const Error& error) {
    complain(mosctl_name, error.text);
    return exit_failed;
}

}  // namespace

int whois(const Hpc& hpc, const Words& words) {
    if (words.size() == 1) {
        const std::uint32_t self = hpc.self();
        return self == 0 ? refused({not_configured})
                         : put(fmt::format("This is openMosix #{}\n", self));
    }
    const auto node = node_meant(words[1], hpc);
    if (!node) {
        return refused(node.error());
    }
    const std::string address = format_address(node->address);
    // The id is the first number: scripts look for that.
    return put(node->name == address
                   ? fmt::format("openMosix #{} is {}\n", node->id, address)
                   : fmt::format("openMosix #{} is {} ({})\n", node->id, node->name, address));
}

int get_figure(const Hpc& hpc, const Words& words) {
    const auto id = node_of(hpc, words);
    if (!id) {
        return refused(id.error());
    }
    const NodeFigures figures = hpc.figures(*id);
    for (const Figure& figure : figure_kinds) {
        if (words[0] != figure.command) {
            continue;
        }
        const long value = figures.*figure.value;
        if (value < 0) {
            const int code = static_cast<int>(-value);
            return refused(
                {fmt::format("node {}: {} ({})", *id, errno_name(code), strerrordesc_np(code))});
        }
        const long page_kib = ::sysconf(_SC_PAGESIZE) / 1024;
        return put(fmt::format("{}\n", figure.pages ? value * page_kib : value));
    }
    return exit_usage;
}

int get_status(const Hpc& hpc, const Words& words) {
    const auto id = node_of(hpc, words);
    if (!id) {
        return refused(id.error());
    }
    const NodeFigures figures = hpc.figures(*id);
    const int written = put(status_words(figures.status) + "\n");
    return figures.up() ? written : static_cast<int>(exit_failed);
}

int is_up(const Hpc& hpc, const Words& words) {
    const auto id = node_of(hpc, words);
    if (!id) {
        return refused(id.error());
    }
    const bool up = hpc.figures(*id).up();
    const int written = put(up ? "yes\n" : "no\n");
    return up ? written : static_cast<int>(exit_failed);
}

int get_tune(const Hpc& hpc, const Words& /*words*/) {
    const auto text = hpc.admin("overheads");
    if (!text) {
        return refused(text.error());
    }
    return put(text->empty() ? "no table is set: the balancer measures what a move costs\n"
                             : *text);
}

int get_yard(const Hpc& /*hpc*/, const Words& /*words*/) {
    return put(fmt::format("{} (a Pentium III at 1 GHz)\n", OM_STANDARD_SPEED));
}

int get_decay(const Hpc& hpc, const Words& /*words*/) {
    const auto interval = hpc.admin_number("decay-interval");
    const auto slow = hpc.admin_number("slow-decay");
    const auto fast = hpc.admin_number("fast-decay");
    for (const auto* number : {&interval, &slow, &fast}) {
        if (!*number) {
            return refused(number->error());
        }
    }
    return put(fmt::format("interval {} s, slow {}, fast {} (permille kept each interval)\n",
                           *interval, *slow, *fast));
}

}  // namespace mosrig
