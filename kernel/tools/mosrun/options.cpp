// SPDX-License-Identifier: GPL-2.0-only
#include "mosrun/options.h"

#include <algorithm>
#include <cctype>

#include "common/map.h"
#include "openmosix.h"

namespace mosrig {
namespace {

struct Flags {
    std::optional<unsigned> node;
    std::optional<bool> lock;
    bool keep = false;
    bool own_name = false;  // -z
};

bool is_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isdigit(static_cast<unsigned char>(c)) != 0;
    });
}

Result<void> set_node(Flags& flags, std::optional<unsigned> node, const std::string& word) {
    if (!node) {
        return fail(word + " is no node id");
    }
    if (flags.node && *flags.node != *node) {
        return fail("more than one place to run at");
    }
    flags.node = node;
    return {};
}

Result<void> read_letters(Flags& flags, const std::string& word) {
    for (const char letter : word.substr(1)) {
        switch (letter) {
            case 'h':
                if (auto set = set_node(flags, 0U, word); !set) {
                    return set;
                }
                break;
            case 'l':
                flags.lock = false;
                break;
            case 'L':
                flags.lock = true;
                break;
            case 'k':
                flags.keep = true;
                break;
            case 'z':
                flags.own_name = true;
                break;
            default:
                return fail(std::string("unknown option -") + letter);
        }
    }
    return {};
}

}  // namespace

Result<MosrunOptions> parse_mosrun_options(const std::vector<std::string>& arguments) {
    Flags flags;
    auto word = arguments.begin();
    for (; word != arguments.end() && word->size() > 1 && (*word)[0] == '-'; ++word) {
        if (*word == "--") {
            ++word;
            break;
        }
        auto read = is_digits(std::string_view(*word).substr(1))
                        ? set_node(flags, parse_number(word->substr(1), OM_MAX_NODE), *word)
                        : read_letters(flags, *word);
        if (!read) {
            return tl::unexpected(read.error());
        }
    }
    if (word == arguments.end()) {
        return fail("no program given");
    }
    MosrunOptions options;
    options.node = flags.node;
    options.lock = flags.lock ? flags.lock : flags.keep ? std::nullopt : std::optional(true);
    options.program = *word;
    // With -z the word after the program is its argv[0].
    options.arguments.assign(flags.own_name ? word + 1 : word, arguments.end());
    if (options.arguments.empty()) {
        return fail("-z needs the program's own name for itself");
    }
    return options;
}

}  // namespace mosrig
