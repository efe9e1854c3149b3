// SPDX-License-Identifier: GPL-2.0-only
// mps: ps with a column NODE. See mps(1).
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>

#include "common/begin.h"
#include "mps/select.h"

namespace mosrig {
namespace {

constexpr const char* program_name = "mps";
constexpr const char* usage_text =
    "usage: mps [-aAefuwx] [-p PID,...] [-u USER] [--root DIR]    (letters also without a dash)\n";

std::string own_tty(const std::vector<ProcessRow>& rows) {
    const auto self = std::find_if(rows.begin(), rows.end(),
                                   [](const ProcessRow& row) { return row.pid == ::getpid(); });
    return self != rows.end() ? self->tty : "?";
}

std::string format_row(const ProcessRow& row, bool users) {
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const std::string time = format_time(row.ticks, ticks);
    return users ? fmt::format("{:8.8} {:7} {:>5} {:8} {:8} {:8} {:5} {:>7} {}\n", row.user,
                               row.pid, row.node, row.size / 1024, row.resident / 1024, row.tty,
                               row.state, time, row.command)
                 : fmt::format("{:7} {:8} {:>5} {:5} {:>7} {}\n", row.pid, row.tty, row.node,
                               row.state, time, row.command);
}

}  // namespace

int mps_program(Words words) {
    const auto call =
        begin_on_openmosix(program_name, usage_text, std::move(words), parse_mps_options);
    if (!call) {
        return call.error();
    }
    const auto& [options, hpc] = *call;
    const auto rows = read_rows(hpc);
    std::string text =
        options.users ? "USER         PID  NODE      VSZ      RSS TTY      STAT     TIME COMMAND\n"
                      : "    PID TTY       NODE STAT     TIME COMMAND\n";
    const std::string tty = own_tty(rows);
    std::size_t listed = 0;
    for (const ProcessRow& row : rows) {
        if (is_listed(row, options, ::geteuid(), tty)) {
            text += format_row(row, options.users);
            listed++;
        }
    }
    const int written = put(text);
    return listed > 0 ? written : static_cast<int>(exit_failed);
}

}  // namespace mosrig
