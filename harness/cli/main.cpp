// SPDX-License-Identifier: MIT
// mosrig: find where things are, parse, run the one verb.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "harness/cli/verbs.h"

namespace {

int run(int argc, char** argv) {
    using namespace mosrig::cli;
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const std::string verb_word = arguments.empty() ? "" : arguments.front();
    const std::vector<std::string> command = split_command(arguments);
    const auto places = find_places();
    if (!places) {
        return complain(places.error(), exit_infra);
    }
    CLI::App parser(
        "A test rig for process-migration clusters.\n"
        "Exit: 0 ok, 1 a case failed, 2 usage, 3 infrastructure; exec, copy and shell "
        "give 125 when the rig itself fails.");
    parser.name("mosrig");
    parser.require_subcommand(1);
    const std::vector<Verb> verbs{
        add_up(parser, *places),      add_down(parser, *places),
        add_status(parser, *places),  add_exec(parser, *places, command),
        add_copy(parser, *places),    add_shell(parser, *places),
        add_console(parser, *places), add_conformance(parser, *places),
        add_bench(parser, *places),   add_report(parser, *places),
        add_network(parser, *places), add_simulate(parser),
    };
    try {
        // CLI11 takes them from the back.
        std::reverse(arguments.begin(), arguments.end());
        parser.parse(arguments);
    } catch (const CLI::ParseError& error) {
        const int usage = code_of_rig(verb_word) == exit_infra ? exit_usage : exit_rig_failed;
        return parser.exit(error) == 0 ? exit_ok : usage;
    }
    for (const Verb& verb : verbs) {
        if (verb.app->parsed()) {
            const std::string name = verb.app->get_name();
            const auto access = check_access(places->state);
            const bool needs_none = name == "report" || name == "simulate";
            return access || needs_none ? verb.run() : complain(access.error(), code_of_rig(name));
        }
    }
    return exit_usage;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        // Nothing of ours throws; the standard library does when memory is out.
        std::fprintf(stderr, "mosrig: %s\n", error.what());
        return mosrig::cli::code_of_rig(argc > 1 ? argv[1] : "");
    }
}
