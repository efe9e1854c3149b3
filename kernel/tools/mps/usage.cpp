// SPDX-License-Identifier: GPL-2.0-only
#include "mps/usage.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>

namespace mosrig {
namespace {

constexpr std::size_t wide_from = 60;

struct Used {
    const ProcessRow* row;
    double percent;
};

std::vector<Used> usage(const Look& before, const Look& now) {
    const auto ticks_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const double seconds = std::max(now.seconds - before.seconds, 0.001);
    std::map<int, const ProcessRow*> earlier;
    for (const ProcessRow& row : before.rows) {
        earlier[row.pid] = &row;
    }
    std::vector<Used> used;
    for (const ProcessRow& row : now.rows) {
        const auto found = earlier.find(row.pid);
        // Of a process that was not there all that it used counts; a pid may be another's by now.
        const bool same = found != earlier.end() && found->second->start == row.start;
        const std::uint64_t ticks =
            row.ticks - (same ? std::min(row.ticks, found->second->ticks) : 0);
        const double percent =
            before.rows.empty() ? 0 : 100 * static_cast<double>(ticks) / ticks_a_second / seconds;
        used.push_back({&row, percent});
    }
    return used;
}

void sort(std::vector<Used>& used, Order order) {
    std::stable_sort(used.begin(), used.end(), [order](const Used& a, const Used& b) {
        switch (order) {
            case Order::memory:
                return a.row->resident > b.row->resident;
            case Order::node: {
                const int left = std::atoi(a.row->node.c_str());
                const int right = std::atoi(b.row->node.c_str());
                return left != right ? left > right : a.percent > b.percent;
            }
            default:
                return a.percent != b.percent ? a.percent > b.percent : a.row->ticks > b.row->ticks;
        }
    });
}

std::string summary(const Look& now) {
    std::size_t running = 0;
    std::size_t away = 0;
    std::size_t guests = 0;
    for (const ProcessRow& row : now.rows) {
        running += row.state.starts_with('R') ? 1 : 0;
        guests += row.node.ends_with('>') ? 1 : 0;
        away += !row.node.ends_with('>') && std::atoi(row.node.c_str()) > 0 ? 1 : 0;
    }
    return fmt::format("{} processes: {} running, {} away, {} guests", now.rows.size(), running,
                       away, guests);
}

}  // namespace

Lines render_top(const Look& before, const Look& now, Order order, const std::string& title,
                 std::size_t width, std::size_t height) {
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const bool wide = width >= wide_from;
    Lines lines{
        {title, Style::strong},
        {summary(now)},
        {wide ? fmt::format("{:>7} {:8} {:>5} {:5} {:>6} {:>9} {:>8} {}", "PID", "USER", "NODE",
                            "STAT", "%CPU", "RSS KiB", "TIME", "COMMAND")
              : fmt::format("{:>7} {:>5} {:>6} {:>7} {}", "PID", "NODE", "%CPU", "TIME", "COMMAND"),
         Style::title}};
    auto used = usage(before, now);
    sort(used, order);
    for (const Used& one : used) {
        if (lines.size() >= height) {
            break;
        }
        const ProcessRow& row = *one.row;
        const std::string time = format_time(row.ticks, ticks);
        lines.push_back({wide ? fmt::format("{:7} {:8.8} {:>5} {:5} {:6.1f} {:9} {:>8} {}", row.pid,
                                            row.user, row.node, row.state, one.percent,
                                            row.resident / 1024, time, row.name)
                              : fmt::format("{:7} {:>5} {:6.1f} {:>7} {}", row.pid, row.node,
                                            one.percent, time, row.name)});
    }
    clip(lines, width, height);
    return lines;
}

}  // namespace mosrig
