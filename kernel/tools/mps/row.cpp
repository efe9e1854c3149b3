// SPDX-License-Identifier: GPL-2.0-only
#include "mps/row.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <sstream>

#include "common/file.h"
#include "common/printable.h"
#include "common/process.h"
#include "common/users.h"

namespace mosrig {
namespace {

std::string flags_of(char state, int pid, long nice, int session, int group, int foreground,
                     long threads) {
    std::string flags(1, state);
    flags += nice < 0 ? "<" : nice > 0 ? "N" : "";
    flags += session == pid ? "s" : "";
    flags += threads > 1 ? "l" : "";
    flags += foreground > 0 && group == foreground ? "+" : "";
    return flags;
}

unsigned owner_of(const Process& process) {
    std::istringstream lines(process.read("status").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        unsigned real = 0;
        unsigned effective = 0;
        if (words >> name >> real >> effective && name == "Uid:") {
            return effective;
        }
    }
    return 0;
}

std::string command_of(const Process& process, const std::string& name) {
    std::string words = process.read("cmdline").value_or("");
    while (!words.empty() && words.back() == '\0') {
        words.pop_back();
    }
    std::replace(words.begin(), words.end(), '\0', ' ');
    return words.empty() ? "[" + name + "]" : printable(words);
}

}  // namespace

bool parse_row(const std::string& stat, ProcessRow& row) {
    const std::size_t open = stat.find('(');
    const std::size_t close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close < open) {
        return false;
    }
    row.name = printable(stat.substr(open + 1, close - open - 1));
    std::istringstream fields(stat.substr(close + 1));
    char state = '?';
    int group = 0;
    int session = 0;
    unsigned tty = 0;
    int foreground = 0;
    std::string skipped;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    long nice = 0;
    long threads = 0;
    long pages = 0;
    fields >> state >> row.parent >> group >> session >> tty >> foreground;
    for (int i = 0; i < 5; i++) {  // flags and faults
        fields >> skipped;
    }
    fields >> user >> system >> skipped >> skipped >> skipped >> nice >> threads >> skipped >>
        row.start >> row.size >> pages;
    if (!fields) {
        return false;
    }
    row.pid = static_cast<int>(std::strtol(stat.c_str(), nullptr, 10));
    row.state = flags_of(state, row.pid, nice, session, group, foreground, threads);
    row.tty = tty_name(tty);
    row.ticks = user + system;
    row.resident = static_cast<std::uint64_t>(std::max(0L, pages)) *
                   static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return true;
}

std::string tty_name(unsigned number) {
    const unsigned major = (number >> 8U) & 0xfffU;
    const unsigned minor = (number & 0xffU) | ((number >> 12U) & 0xfff00U);
    constexpr unsigned console = 4;
    constexpr unsigned first_serial = 64;
    constexpr unsigned first_pts = 136;
    constexpr unsigned last_pts = 143;
    if (major >= first_pts && major <= last_pts) {
        return fmt::format("pts/{}", (major - first_pts) * 256 + minor);
    }
    if (major == console) {
        return minor < first_serial ? fmt::format("tty{}", minor)
                                    : fmt::format("ttyS{}", minor - first_serial);
    }
    return number == 0 ? "?" : fmt::format("{}:{}", major, minor);
}

std::vector<ProcessRow> read_rows(const Hpc& hpc) {
    std::vector<ProcessRow> rows;
    const auto guests = hpc.guests();
    const bool configured = hpc.self() != 0;
    for (const std::uint32_t pid : numbers_in(hpc.places().proc())) {
        const Process process(static_cast<pid_t>(pid), hpc.places().proc());
        const auto stat = process.read("stat");
        ProcessRow row;
        if (!stat || !parse_row(*stat, row)) {
            continue;
        }
        row.uid = owner_of(process);
        row.user = user_name(row.uid, hpc.places());
        row.command = command_of(process, row.name);
        const auto guest = guests.find(row.pid);
        row.node = guest != guests.end() ? fmt::format("{}>", guest->second)
                   : configured          ? std::to_string(process.number("where").value_or(0))
                                         : "-1";
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string format_time(std::uint64_t ticks, std::uint64_t ticks_a_second) {
    const std::uint64_t seconds = ticks / std::max<std::uint64_t>(ticks_a_second, 1);
    return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

}  // namespace mosrig
