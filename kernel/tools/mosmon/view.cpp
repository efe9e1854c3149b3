// SPDX-License-Identifier: GPL-2.0-only
#include "mosmon/view.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cmath>

#include "screen/screen.h"

namespace mosrig {
namespace {

constexpr std::size_t wide_from = 70;   // from here on there is room for all columns
constexpr std::size_t other_lines = 3;  // lines that are no nodes: title, head, keys
constexpr std::size_t total_lines = 3;  // and those of the totals
constexpr double full_load = 100;       // one runnable process a CPU of a standard node

// Short enough for 40 columns.
constexpr std::array help_lines{
    "l  bars: load; 100 is one process",
    "m  bars: memory in use",
    "u  bars: CPU time in use",
    "s  bars: speed",
    "t  totals",
    "d  nodes that are down: show, hide",
    "j k, arrows, page keys: scroll",
    "h  this help    q  quit",
    "OUT processes of this node, there",
    "IN  guests from there, here",
};

const char* name_of(View::Bar bar) {
    switch (bar) {
        case View::Bar::memory:
            return "MEMORY";
        case View::Bar::util:
            return "UTIL";
        case View::Bar::speed:
            return "SPEED";
        default:
            return "LOAD";
    }
}

long used_percent(const NodeFigures& figures) {
    return figures.tmem > 0 ? 100 * std::max(0L, figures.tmem - figures.mem) / figures.tmem : 0;
}

double value_of(const NodeFigures& figures, View::Bar bar) {
    switch (bar) {
        case View::Bar::memory:
            return static_cast<double>(used_percent(figures));
        case View::Bar::util:
            return static_cast<double>(figures.util);
        case View::Bar::speed:
            return static_cast<double>(figures.speed);
        default:
            return static_cast<double>(figures.load);
    }
}

double full_of(const std::vector<const NodeRow*>& rows, View::Bar bar) {
    double full = bar == View::Bar::speed ? 1 : full_load;
    for (const NodeRow* row : rows) {
        full = std::max(full, row->figures.up() ? value_of(row->figures, bar) : 0);
    }
    return full;
}

std::vector<const NodeRow*> shown(const Snapshot& snapshot, const View& view) {
    std::vector<const NodeRow*> rows;
    for (const NodeRow& row : snapshot.nodes) {
        if (view.down || row.figures.up()) {
            rows.push_back(&row);
        }
    }
    return rows;
}

std::string title(const Snapshot& snapshot, std::size_t width) {
    const auto up = std::count_if(snapshot.nodes.begin(), snapshot.nodes.end(),
                                  [](const NodeRow& row) { return row.figures.up(); });
    const std::string self =
        snapshot.self == 0 ? "not configured" : fmt::format("this is #{}", snapshot.self);
    return width >= wide_from ? fmt::format("openMosix: {}, {} of {} nodes are up", self, up,
                                            snapshot.nodes.size())
                              : fmt::format("{}, {}/{} up", self, up, snapshot.nodes.size());
}

std::string head(const View& view, std::size_t width) {
    return width >= wide_from
               ? fmt::format("  NODE  {:12} {:>6} {:>4} {:>5} {:>4} {:>4} {:>4}  {}", "NAME",
                             "LOAD", "MEM", "UTIL", "CPUS", "OUT", "IN", name_of(view.bar))
               : fmt::format("  NODE {:>5} {:>4} {:>3} {:>3} {}", "LOAD", "MEM", "OUT", "IN",
                             name_of(view.bar));
}

std::string row_text(const NodeRow& row, bool self, const View& view, double full,
                     std::size_t width) {
    const NodeFigures& figures = row.figures;
    const char mark = self ? '*' : ' ';
    if (!figures.up() || figures.cpus <= 0) {
        const std::string words =
            status_words(figures.status) + (figures.up() ? "; its load is not known" : "");
        return width >= wide_from
                   ? fmt::format("{} {:5} {:12.12} {}", mark, figures.id, row.name, words)
                   : fmt::format("{} {:5} {}", mark, figures.id, words);
    }
    std::string text = width >= wide_from
                           ? fmt::format("{} {:5} {:12.12} {:6} {:3}% {:4}% {:4} {:4} {:4} ", mark,
                                         figures.id, row.name, figures.load, used_percent(figures),
                                         figures.util, figures.cpus, row.out, row.in)
                           : fmt::format("{} {:5} {:4} {:3}% {:3} {:3} ", mark, figures.id,
                                         figures.load, used_percent(figures), row.out, row.in);
    if (width > text.size() + 2) {
        text += "|" + bar(value_of(figures, view.bar), full, width - text.size() - 2) + "|";
    }
    return text;
}

std::string stat_of(const Snapshot& snapshot, const char* name) {
    const auto found = snapshot.stats.find(name);
    return found != snapshot.stats.end() ? found->second : "?";
}

Lines totals(const Snapshot& snapshot) {
    NodeFigures all;
    std::size_t up = 0;
    std::size_t known = 0;
    for (const NodeRow& row : snapshot.nodes) {
        if (row.figures.up()) {
            up++;
            all.speed += row.figures.speed;
        }
        // Of one whose load is not known the figures are errors.
        if (row.figures.up() && row.figures.cpus > 0) {
            known++;
            all.cpus += row.figures.cpus;
            all.load += row.figures.load;
            all.mem += row.figures.mem;
            all.tmem += row.figures.tmem;
        }
    }
    const long pages_in_mib = (1L << 20U) / ::sysconf(_SC_PAGESIZE);
    return {{fmt::format("{} nodes, {} up, {} CPUs, speed {}", snapshot.nodes.size(), up, all.cpus,
                         all.speed),
             Style::strong},
            {fmt::format("mean load {}, {} of {} MiB free",
                         known == 0 ? 0 : all.load / static_cast<long>(known),
                         all.mem / pages_in_mib, all.tmem / pages_in_mib),
             Style::strong},
            {fmt::format("moves: {} out, {} home, {} in; {} failed", stat_of(snapshot, "moves_out"),
                         stat_of(snapshot, "moves_home"), stat_of(snapshot, "moves_in"),
                         stat_of(snapshot, "failed")),
             Style::strong}};
}

std::string keys(std::size_t width) {
    for (const char* text :
         {"l load  m memory  u util  s speed  t totals  d down nodes  h help  q quit",
          "l m u s bars  t totals  h help  q quit", "lmus t d h q"}) {
        if (std::string_view(text).size() <= width) {
            return text;
        }
    }
    return "h q";
}

Lines help(std::size_t width, std::size_t height) {
    Lines lines{{"mosmon: keys", Style::title}};
    for (const char* text : help_lines) {
        lines.push_back({text});
    }
    clip(lines, width, height);
    return lines;
}

}  // namespace

std::string bar(double value, double full, std::size_t width) {
    const double share = full > 0 ? std::clamp(value / full, 0.0, 1.0) : 0;
    auto filled = static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
    if (filled == 0 && value > 0 && width > 0) {
        filled = 1;  // little is not nothing
    }
    return std::string(filled, '#') + std::string(width - filled, ' ');
}

Lines render(const Snapshot& snapshot, const View& view, std::size_t width, std::size_t height) {
    if (view.help) {
        return help(width, height);
    }
    const auto rows = shown(snapshot, view);
    const double full = full_of(rows, view.bar);
    Lines lines{{title(snapshot, width), Style::strong}, {head(view, width), Style::title}};
    Lines bottom;
    if (view.totals) {
        bottom = totals(snapshot);
    }
    bottom.push_back({keys(width), Style::dim});
    const std::size_t room = page_of(view, height);
    const std::size_t first = rows.size() > room ? std::min(view.first, rows.size() - room) : 0;
    for (std::size_t i = first; i < rows.size() && i < first + room; i++) {
        const NodeRow& row = *rows[i];
        lines.push_back({row_text(row, row.figures.id == snapshot.self, view, full, width),
                         row.figures.up() ? Style::plain : Style::dim});
    }
    if (rows.empty()) {
        lines.push_back({snapshot.nodes.empty() ? "no node is configured" : "no node is up"});
    }
    if (rows.size() > room) {
        lines.front().text += fmt::format("; {}-{} shown", first + 1, first + room);
    }
    while (lines.size() + bottom.size() < height) {
        lines.push_back({""});
    }
    lines.insert(lines.end(), bottom.begin(), bottom.end());
    clip(lines, width, height);
    return lines;
}

std::size_t page_of(const View& view, std::size_t height) {
    const std::size_t around = other_lines + (view.totals ? total_lines : 0);
    return height > around ? height - around : 1;
}

std::size_t count_shown(const Snapshot& snapshot, const View& view) {
    return shown(snapshot, view).size();
}

View after_key(View view, int key, std::size_t page, std::size_t nodes) {
    if (view.help) {
        view.help = key == Screen::no_key;
        return view;
    }
    const std::size_t last = nodes > page ? nodes - page : 0;
    switch (key) {
        case 'l':
            view.bar = View::Bar::load;
            break;
        case 'm':
            view.bar = View::Bar::memory;
            break;
        case 'u':
            view.bar = View::Bar::util;
            break;
        case 's':
            view.bar = View::Bar::speed;
            break;
        case 't':
            view.totals = !view.totals;
            break;
        case 'd':
            view.down = !view.down;
            break;
        case 'h':
        case '?':
            view.help = true;
            break;
        case 'k':
        case Screen::up_key:
            view.first -= view.first > 0 ? 1 : 0;
            break;
        case 'j':
        case Screen::down_key:
            view.first = std::min(view.first + 1, last);
            break;
        case Screen::page_up_key:
            view.first -= std::min(view.first, page);
            break;
        case Screen::page_down_key:
            view.first = std::min(view.first + page, last);
            break;
        default:
            break;
    }
    return view;
}

}  // namespace mosrig
