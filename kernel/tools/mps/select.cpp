// SPDX-License-Identifier: GPL-2.0-only
#include "mps/select.h"

#include "common/map.h"

namespace mosrig {
namespace {

Result<void> take_pids(MpsOptions& options, std::string_view list) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find_first_of(", "), list.size());
        const auto pid = parse_number(list.substr(0, end), INT32_MAX);
        if (!pid || *pid == 0) {
            return fail("'" + std::string(list.substr(0, end)) + "' is no process id");
        }
        options.pids.insert(static_cast<int>(*pid));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return {};
}

Result<void> take_letters(MpsOptions& options, std::string_view letters) {
    for (const char letter : letters) {
        switch (letter) {
            case 'a':
                options.everybody = true;
                break;
            case 'x':
                options.without_tty = true;
                break;
            case 'e':
            case 'A':
                options.everybody = options.without_tty = true;
                break;
            case 'f':
            case 'u':
                options.users = true;
                break;
            case 'w':
                break;  // lines are never cut
            default:
                return fail(std::string("unknown option ") + letter);
        }
    }
    return {};
}

}  // namespace

Result<MpsOptions> parse_mps_options(const std::vector<std::string>& words) {
    MpsOptions options;
    for (auto word = words.begin(); word != words.end(); ++word) {
        const bool valued = *word == "-p" || *word == "-u";
        if (valued && word + 1 == words.end()) {
            return fail(*word + " needs a value");
        }
        Result<void> taken;
        if (*word == "-p") {
            taken = take_pids(options, *++word);
        } else if (*word == "-u") {
            options.user = *++word;
        } else {
            taken = take_letters(options, std::string_view(*word).substr(
                                              word->starts_with('-') && word->size() > 1 ? 1 : 0));
        }
        if (!taken) {
            return tl::unexpected(taken.error());
        }
    }
    return options;
}

bool is_listed(const ProcessRow& row, const MpsOptions& options, unsigned uid,
               const std::string& tty) {
    if (!options.pids.empty()) {
        return options.pids.contains(row.pid);
    }
    if (options.user) {
        return row.user == *options.user || std::to_string(row.uid) == *options.user;
    }
    if (!options.everybody && row.uid != uid) {
        return false;
    }
    if (options.everybody || options.without_tty) {
        return options.without_tty || row.tty != "?";
    }
    return row.tty == tty;
}

}  // namespace mosrig
