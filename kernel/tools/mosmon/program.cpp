// SPDX-License-Identifier: GPL-2.0-only
// mosmon: the cluster on a terminal. See mosmon(1).
#include <fmt/format.h>
#include <optional>

#include "common/begin.h"
#include "mosmon/view.h"
#include "screen/screen.h"

namespace mosrig {
namespace {

constexpr const char* program_name = "mosmon";
constexpr const char* usage_text = "usage: mosmon [-d SEC] [-t] [--once] [--root DIR]\n";

struct Options {
    unsigned delay = 1;  // seconds
    bool once = false;
    View view;
};

Result<Options> parse_options(const Words& words) {
    Options options;
    for (auto word = words.begin(); word != words.end(); ++word) {
        if (*word == "--once") {
            options.once = true;
        } else if (*word == "-t") {
            options.view.totals = true;
        } else if (*word == "-d" && word + 1 != words.end()) {
            const auto delay = parse_number(*++word, 3600);
            if (!delay || *delay == 0) {
                return fail("'" + *word + "' is no number of seconds (1 to 3600)");
            }
            options.delay = *delay;
        } else {
            return fail("unknown option, or one without its value: " + *word);
        }
    }
    return options;
}

int watch(const Hpc& hpc, const Options& options) {
    const auto screen = Screen::open();
    if (!screen) {
        complain(program_name, screen.error().text + " (or use --once)");
        return exit_failed;
    }
    View view = options.view;
    for (;;) {
        const Snapshot snapshot = take_snapshot(hpc);
        screen->draw(render(snapshot, view, screen->width(), screen->height()));
        const int key = screen->key(std::chrono::seconds(options.delay));
        if (key == Screen::end_key || (key == 'q' && !view.help)) {
            return exit_done;
        }
        view = after_key(view, key, page_of(view, screen->height()), count_shown(snapshot, view));
    }
}

}  // namespace

int mosmon_program(Words words) {
    const auto call = begin_program(program_name, usage_text, std::move(words), parse_options);
    if (!call) {
        return call.error();
    }
    const auto& [options, hpc] = *call;
    if (!is_openmosix(hpc.places())) {
        complain(program_name, "this is not an openMosix system");
        return exit_failed;
    }
    if (options.once) {
        const Snapshot snapshot = take_snapshot(hpc);
        Lines lines = render(snapshot, options.view, 80, snapshot.nodes.size() + 7);
        lines.pop_back();  // keys
        std::erase_if(lines, [](const Line& line) { return line.text.empty(); });
        return put(join(lines));
    }
    return watch(hpc, options);
}

}  // namespace mosrig
