// SPDX-License-Identifier: GPL-2.0-only
// setpe: installs, checks, shows and removes a node's table of the cluster. See setpe(8).
#include <fmt/format.h>
#include <csignal>
#include <iostream>
#include <iterator>

#include "common/begin.h"
#include "common/file.h"
#include "common/omd_client.h"
#include "common/own_node.h"
#include "setpe/options.h"
#include "setpe/table.h"

namespace mosrig {
namespace {

constexpr const char* program_name = "setpe";
constexpr const char* usage_text =
    "usage: setpe -w|-W [-f FILE] [-p ID] [-g N] [-n 2]\n"
    "       setpe -c [-f FILE] [-p ID]\n"
    "       setpe -r [-f FILE]\n"
    "       setpe -reload\n"
    "       setpe -off\n";

int refused(const Error& error) {
    complain(program_name, error.text);
    return exit_failed;
}

struct Table {
    std::string text;
    std::vector<MapNode> nodes;
    MapNode own;
};

Result<Table> read_table(const SetpeOptions& options, const Places& places) {
    Table table;
    if (options.file == "-") {
        table.text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else if (auto text = read_text(options.file)) {
        table.text = std::move(*text);
    } else {
        return tl::unexpected(text.error());
    }
    auto nodes = parse_map(table.text, parse_hosts(read_text(places.hosts()).value_or("")));
    if (!nodes) {
        return fail("the table is not well-formed: " + nodes.error().text);
    }
    table.nodes = std::move(*nodes);
    auto own = own_in_table(table.nodes, options.self, is_local_address);
    if (!own) {
        return tl::unexpected(own.error());
    }
    table.own = std::move(*own);
    return table;
}

// Has omd read its configuration and the table anew: by its socket, else by SIGHUP.
Result<void> reload(const Places& places) {
    const auto answer = ask_omd(places.omd_socket(), "reload", std::chrono::seconds(10));
    if (answer) {
        return field(*answer, "ok", true) ? Result<void>{}
                                          : fail("omd does not take it: " +
                                                 field(*answer, "text", std::string("no reason")));
    }
    const auto text = read_text(places.omd_pid());
    const auto pid =
        text ? parse_number(text->substr(0, text->find('\n')), INT32_MAX) : std::nullopt;
    // The file may be left from a run long ago, and its number be another's by now.
    const auto name =
        pid ? read_text(fmt::format("{}/{}/comm", places.proc(), *pid)).value_or("") : "";
    if (name != "omd\n" || ::kill(static_cast<pid_t>(*pid), SIGHUP) != 0) {
        return fail("omd does not run; start it: /etc/init.d/openmosix start");
    }
    return {};
}

int install(const SetpeOptions& options, const Hpc& hpc) {
    const auto table = read_table(options, hpc.places());
    if (!table) {
        return refused(table.error());
    }
    const auto installed = replace_text(hpc.places().map(), table->text, Durable::yes);
    if (!installed) {
        return refused(installed.error());
    }
    if (options.self) {
        // The init script hands it to omd.
        const auto kept = replace_text(hpc.places().root + "/etc/openmosix/om-node-num",
                                       fmt::format("{}\n", *options.self), Durable::yes);
        if (!kept) {
            return refused(kept.error());
        }
    }
    if (options.gateways) {
        const auto set = hpc.set_admin("gateways", fmt::format("{}\n", *options.gateways));
        if (!set) {
            return refused(set.error());
        }
    }
    if (const auto told = reload(hpc.places()); !told) {
        return refused(
            {fmt::format("{} is installed, but {}", hpc.places().map(), told.error().text)});
    }
    return exit_done;
}

int show(const SetpeOptions& options, const Hpc& hpc) {
    const auto nodes = hpc.config();
    if (!nodes) {
        return refused(nodes.error());
    }
    const std::string text = format_table(*nodes, hpc.self());
    if (options.file == "-") {
        return put(text);
    }
    const auto written = replace_text(options.file, text);
    return written ? exit_done : refused(written.error());
}

int remove_configuration(const Hpc& hpc) {
    // Returns when all guests have left and all own processes are home.
    const auto done = hpc.set_admin("mospe", "0\n");
    if (done) {
        return exit_done;
    }
    const int code = done.error().code;
    return refused(code == EINTR ? Error{"interrupted: processes are still away or here as guests"}
                                 : done.error());
}

int check(const SetpeOptions& options, const Places& places) {
    const auto table = read_table(options, places);
    return table ? exit_done : refused(table.error());
}

}  // namespace

int setpe_program(Words words) {
    const auto call =
        begin_program(program_name, usage_text, std::move(words), parse_setpe_options);
    if (!call) {
        return call.error();
    }
    const auto& [options, hpc] = *call;
    if (options.action == SetpeOptions::Action::check) {
        return check(options, hpc.places());
    }
    if (!is_openmosix(hpc.places())) {
        return not_openmosix(program_name);
    }
    switch (options.action) {
        case SetpeOptions::Action::install:
            return install(options, hpc);
        case SetpeOptions::Action::read:
            return show(options, hpc);
        case SetpeOptions::Action::reload: {
            const auto told = reload(hpc.places());
            return told ? exit_done : refused(told.error());
        }
        default:
            return remove_configuration(hpc);
    }
}

}  // namespace mosrig
