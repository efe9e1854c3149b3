// SPDX-License-Identifier: GPL-2.0-only
#include "mosrun/options.h"

#include <algorithm>
#include <cctype>

#include "common/hpc.h"
#include "common/map.h"
#include "openmosix.h"

namespace mosrig {
namespace {

constexpr unsigned most_permille = 1000;
constexpr unsigned default_keep = 975;  // as slow decay has it

struct Flags {
    std::optional<unsigned> node;
    std::vector<NodeSpan> choice;
    bool anywhere = false;
    std::optional<bool> lock;
    bool keep = false;
    bool own_name = false;  // -z
    std::string job;        // cpujob or iojob
    std::string rate;       // slow, fast, none or own
    std::optional<unsigned> decay_seconds;
    std::optional<unsigned> decay_keep;
    std::optional<bool> reset_on_exec;
    std::optional<bool> inherit;

    [[nodiscard]] bool has_place() const { return node || !choice.empty(); }
    [[nodiscard]] bool has_decay() const { return !job.empty() || !rate.empty(); }
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
    if ((flags.node && *flags.node != *node) || !flags.choice.empty()) {
        return fail("more than one place to run at");
    }
    flags.node = node;
    return {};
}

Result<void> set_choice(Flags& flags, std::string_view list) {
    if (flags.has_place()) {
        return fail("more than one place to run at");
    }
    do {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view part = list.substr(0, comma);
        const std::size_t dash = std::min(part.find('-'), part.size());
        const auto first = parse_number(part.substr(0, dash), OM_MAX_NODE);
        const auto last =
            dash < part.size() ? parse_number(part.substr(dash + 1), OM_MAX_NODE) : first;
        if (!first || !last || *first == 0 || *last < *first) {
            return fail("'" + std::string(part) + "' is neither a node id nor a range A-B");
        }
        flags.choice.push_back({*first, *last});
        list.remove_prefix(std::min(comma + 1, list.size()));
    } while (!list.empty());
    return {};
}

Result<void> set_word(std::string& slot, const char* word) {
    if (!slot.empty() && slot != word) {
        return fail("'" + slot + "' and '" + word + "' exclude each other");
    }
    slot = word;
    return {};
}

Result<void> read_letter(Flags& flags, char letter) {
    switch (letter) {
        case 'h':
            return set_node(flags, 0U, "-h");
        case 'F':
            flags.anywhere = true;
            return {};
        case 'l':
        case 'L':
            flags.lock = letter == 'L';
            return {};
        case 'k':
            flags.keep = true;
            return {};
        case 'z':
            flags.own_name = true;
            return {};
        case 'c':
            return set_word(flags.job, "cpujob");
        case 'i':
            return set_word(flags.job, "iojob");
        case 'n':
            return set_word(flags.rate, "none");
        case 's':
            return set_word(flags.rate, "slow");
        case 'f':
            return set_word(flags.rate, "fast");
        case 'e':
        case 'E':
            flags.reset_on_exec = letter == 'E';
            return {};
        case 'r':
        case 'R':
            flags.inherit = letter == 'r';
            return {};
        default:
            return fail(std::string("unknown option -") + letter);
    }
}

// -j, -t and -d have a value: the rest of the word or the next word.
Result<void> read_value(Flags& flags, char letter, const std::string& value) {
    if (letter == 'j') {
        return set_choice(flags, value);
    }
    if (letter == 't') {
        flags.decay_seconds = parse_number(value, longest_decay);
        if (!flags.decay_seconds || *flags.decay_seconds == 0) {
            return fail("'" + value + "' is no number of seconds (1 to 86400)");
        }
        return set_word(flags.rate, "own");
    }
    flags.decay_keep = parse_number(value, most_permille);
    if (!flags.decay_keep || *flags.decay_keep == 0) {
        return fail("'" + value + "' is no rate in permille (1 to 1000)");
    }
    return {};
}

using Word = std::vector<std::string>::const_iterator;

Result<void> read_letters(Flags& flags, Word& word, const Word& end) {
    const std::string letters = word->substr(1);
    for (std::size_t i = 0; i < letters.size(); i++) {
        const char letter = letters[i];
        if (letter != 'j' && letter != 't' && letter != 'd') {
            if (auto read = read_letter(flags, letter); !read) {
                return read;
            }
            continue;
        }
        std::string value = letters.substr(i + 1);
        if (value.empty()) {
            if (word + 1 == end) {
                return fail(std::string("-") + letter + " needs a value");
            }
            value = *++word;
        }
        return read_value(flags, letter, value);
    }
    return {};
}

Result<void> check(const Flags& flags) {
    if (flags.anywhere && !flags.has_place()) {
        return fail("-F needs a place: -h, -N or -j");
    }
    if (flags.decay_keep && !flags.decay_seconds) {
        return fail("-d needs -t");
    }
    // The program is executed too, so that nothing would be left of them.
    if (flags.reset_on_exec == true && flags.has_decay()) {
        return fail("-E would reset the other decay options when the program starts");
    }
    return {};
}

void fill_decay(const Flags& flags, MosrunOptions& options) {
    if (!flags.job.empty()) {
        options.decay.emplace_back(flags.job, "1");
    }
    if (flags.rate == "own") {
        options.decay.emplace_back("own", std::to_string(flags.decay_keep.value_or(default_keep)) +
                                              " " + std::to_string(*flags.decay_seconds));
    } else if (!flags.rate.empty()) {
        options.decay.emplace_back(flags.rate, "1");
    }
    if (flags.inherit) {
        options.decay.emplace_back("inherit", *flags.inherit ? "1" : "0");
    }
    if (flags.reset_on_exec) {
        options.decay.emplace_back("exec", *flags.reset_on_exec ? "1" : "0");
    }
}

std::optional<bool> lock_of(const Flags& flags) {
    if (flags.lock) {
        return flags.lock;
    }
    const bool as_it_is = flags.keep || (flags.has_decay() && !flags.has_place());
    return as_it_is ? std::nullopt : std::optional(true);
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
                        : read_letters(flags, word, arguments.end());
        if (!read) {
            return tl::unexpected(read.error());
        }
    }
    if (auto checked = check(flags); !checked) {
        return tl::unexpected(checked.error());
    }
    if (word == arguments.end()) {
        return fail("no program given");
    }
    MosrunOptions options;
    options.node = flags.node;
    options.choice = flags.choice;
    options.anywhere = flags.anywhere;
    options.lock = lock_of(flags);
    fill_decay(flags, options);
    options.program = *word;
    // With -z the word after the program is its argv[0].
    options.arguments.assign(flags.own_name ? word + 1 : word, arguments.end());
    if (options.arguments.empty()) {
        return fail("-z needs the program's own name for itself");
    }
    return options;
}

unsigned pick_node(const std::vector<NodeSpan>& choice, unsigned random) {
    unsigned all = 0;
    for (const NodeSpan& span : choice) {
        all += span.last - span.first + 1;
    }
    unsigned left = all == 0 ? 0 : random % all;
    for (const NodeSpan& span : choice) {
        const unsigned count = span.last - span.first + 1;
        if (left < count) {
            return span.first + left;
        }
        left -= count;
    }
    return 0;
}

}  // namespace mosrig
