// SPDX-License-Identifier: GPL-2.0-only
// mtop: top with a column NODE. See mtop(1).
#include <fmt/format.h>
#include <chrono>
#include <optional>
#include <thread>

#include "common/begin.h"
#include "mps/usage.h"
#include "screen/screen.h"

namespace mosrig {
namespace {

constexpr const char* program_name = "mtop";
constexpr const char* usage_text = "usage: mtop [-b] [-d SEC] [-n TIMES] [--root DIR]\n";
constexpr std::size_t no_limit = SIZE_MAX;

struct Options {
    bool batch = false;
    unsigned delay = 2;  // seconds
    unsigned times = 0;  // 0: until told to end
};

Result<Options> parse_options(const Words& words) {
    Options options;
    for (auto word = words.begin(); word != words.end(); ++word) {
        if (*word == "-b") {
            options.batch = true;
        } else if ((*word == "-d" || *word == "-n") && word + 1 != words.end()) {
            unsigned& slot = *word == "-d" ? options.delay : options.times;
            const auto number = parse_number(*++word, 1'000'000);
            if (!number || *number == 0) {
                return fail("'" + *word + "' is no number from 1 on");
            }
            slot = *number;
        } else {
            return fail("unknown option, or one without its value: " + *word);
        }
    }
    return options;
}

Look look(const Hpc& hpc) {
    const std::chrono::duration<double> now = std::chrono::steady_clock::now().time_since_epoch();
    return {read_rows(hpc), now.count()};
}

std::string title(const Hpc& hpc) {
    const std::uint32_t self = hpc.self();
    return self == 0 ? "openMosix: this node is not configured"
                     : fmt::format(
                           "openMosix node {}, load {}; P M N sort by CPU, memory, node; q "
                           "quits",
                           self, hpc.figures(self).load);
}

int print(const Hpc& hpc, const Options& options) {
    Look before = look(hpc);
    for (unsigned i = 0; options.times == 0 || i < options.times; i++) {
        std::this_thread::sleep_for(std::chrono::seconds(options.delay));
        Look now = look(hpc);
        const Lines lines = render_top(before, now, Order::cpu, title(hpc), no_limit, no_limit);
        if (put(join(lines) + "\n") != exit_done) {
            return exit_failed;
        }
        before = std::move(now);
    }
    return exit_done;
}

Order order_of(int key, Order now) {
    switch (key) {
        case 'P':
            return Order::cpu;
        case 'M':
            return Order::memory;
        case 'N':
            return Order::node;
        default:
            return now;
    }
}

int watch(const Hpc& hpc, const Options& options) {
    const auto screen = Screen::open();
    if (!screen) {
        complain(program_name, screen.error().text + " (or use -b)");
        return exit_failed;
    }
    Order order = Order::cpu;
    Look before;
    for (unsigned i = 0; options.times == 0 || i < options.times; i++) {
        Look now = look(hpc);
        screen->draw(render_top(before, now, order, title(hpc), screen->width(), screen->height()));
        const int key = screen->key(std::chrono::seconds(options.delay));
        if (key == Screen::end_key || key == 'q') {
            break;
        }
        order = order_of(key, order);
        before = std::move(now);
    }
    return exit_done;
}

}  // namespace

int mtop_program(Words words) {
    const auto call = begin_on_openmosix(program_name, usage_text, std::move(words), parse_options);
    if (!call) {
        return call.error();
    }
    const auto& [options, hpc] = *call;
    return options.batch ? print(hpc, options) : watch(hpc, options);
}

}  // namespace mosrig
