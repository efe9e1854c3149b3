// SPDX-License-Identifier: GPL-2.0-only
#include "setpe/options.h"

#include "common/map.h"
#include "openmosix.h"

namespace mosrig {
namespace {

using Action = SetpeOptions::Action;

std::optional<Action> parse_action(const std::string& word) {
    if (word == "-w" || word == "-W") {
        return Action::install;
    }
    if (word == "-c") {
        return Action::check;
    }
    if (word == "-r") {
        return Action::read;
    }
    if (word == "-reload") {
        return Action::reload;
    }
    return word == "-off" ? std::optional(Action::off) : std::nullopt;
}

Result<void> take_value(SetpeOptions& options, const std::string& option,
                        const std::string& value) {
    if (option == "-f") {
        options.file = value;
    } else if (option == "-p") {
        options.self = parse_number(value, OM_MAX_NODE);
        if (!options.self || *options.self == 0) {
            return fail("'" + value + "' is no node id");
        }
    } else if (option == "-g") {
        options.gateways = parse_number(value, 2);
        if (!options.gateways) {
            return fail("-g takes 0, 1 or 2");
        }
    } else if (value != "2" && value != "INET" && value != "AF_INET") {
        return fail("the only network protocol is 2 (AF_INET)");
    }
    return {};
}

}  // namespace

Result<SetpeOptions> parse_setpe_options(const std::vector<std::string>& words) {
    SetpeOptions options;
    bool chosen = false;
    for (auto word = words.begin(); word != words.end(); ++word) {
        if (const auto action = parse_action(*word)) {
            if (chosen && options.action != *action) {
                return fail("more than one of -w, -W, -c, -r, -reload and -off");
            }
            options.action = *action;
            chosen = true;
        } else if (*word == "-f" || *word == "-p" || *word == "-g" || *word == "-n") {
            if (word + 1 == words.end()) {
                return fail(*word + " needs a value");
            }
            const std::string& option = *word++;
            if (auto taken = take_value(options, option, *word); !taken) {
                return tl::unexpected(taken.error());
            }
        } else {
            return fail("unknown option " + *word);
        }
    }
    if (!chosen) {
        return fail("one of -w, -W, -c, -r, -reload and -off is needed");
    }
    return options;
}

}  // namespace mosrig
