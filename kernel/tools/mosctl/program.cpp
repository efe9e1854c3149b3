// SPDX-License-Identifier: GPL-2.0-only
// mosctl: the administrator's switches and figures of a node. See mosctl(1).
#include <fmt/format.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "common/begin.h"
#include "mosctl/figures.h"
#include "mosctl/name.h"
#include "mosctl/switches.h"

namespace mosrig {
namespace {

constexpr const char* usage_text =
    "usage: mosctl [--root DIR] COMMAND [ARGUMENT...]\n"
    "  stay nostay  lstay nolstay  block noblock  quiet noquiet    (or -stay, -lstay ...)\n"
    "  expel  bring\n"
    "  whois [ID|ADDRESS|HOST]\n"
    "  getload getspeed getutil getmem getfree status isup    [NODE]\n"
    "  gettune  getyard  getdecay\n"
    "  setspeed N  setyard N  setdecay INTERVAL SLOW FAST\n";

struct Command {
    const char* name;
    std::size_t least;  // words behind it
    std::size_t most;
    int (*run)(const Hpc& hpc, const Words& words);  // words[0] is the command
};

constexpr std::array commands{
    Command{"expel", 0, 0, expel},         Command{"bring", 0, 0, bring},
    Command{"whois", 0, 1, whois},         Command{"getload", 0, 1, get_figure},
    Command{"getspeed", 0, 1, get_figure}, Command{"getutil", 0, 1, get_figure},
    Command{"getmem", 0, 1, get_figure},   Command{"getfree", 0, 1, get_figure},
    Command{"status", 0, 1, get_status},   Command{"isup", 0, 1, is_up},
    Command{"gettune", 0, 0, get_tune},    Command{"getyard", 0, 0, get_yard},
    Command{"getdecay", 0, 0, get_decay},  Command{"setspeed", 1, 1, set_speed},
    Command{"setyard", 1, 1, set_yard},    Command{"setdecay", 3, 3, set_decay},
};

bool is_of_mfs(const std::string& word) {
    return word == "mfs" || word == "nomfs" || word == "-mfs";
}

int run(const Hpc& hpc, const Words& words) {
    if (is_of_mfs(words[0])) {
        complain(mosctl_name, "this openMosix has no MFS");
        return exit_failed;
    }
    if (is_switch(words[0])) {
        return words.size() == 1
                   ? flip(hpc, words[0])
                   : wrong_usage(mosctl_name, words[0] + " takes no argument", usage_text);
    }
    for (const Command& command : commands) {
        if (words[0] != command.name) {
            continue;
        }
        const std::size_t given = words.size() - 1;
        return given >= command.least && given <= command.most
                   ? command.run(hpc, words)
                   : wrong_usage(mosctl_name, "wrong number of arguments to " + words[0],
                                 usage_text);
    }
    return wrong_usage(mosctl_name, "there is no command '" + words[0] + "'", usage_text);
}

Result<Words> parse_options(const Words& words) {
    return words.empty() ? fail("no command given") : Result<Words>(words);
}

}  // namespace

int mosctl_program(Words words) {
    const auto call = begin_on_openmosix(mosctl_name, usage_text, std::move(words), parse_options);
    return call ? run(call->hpc, call->options) : call.error();
}

}  // namespace mosrig
