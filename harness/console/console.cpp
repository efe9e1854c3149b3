// SPDX-License-Identifier: MIT
#include "harness/console/console.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/base/fd.h"

namespace mosrig {

namespace {

struct Pattern {
    std::string_view text;
    ReportKind kind;
    bool at_start;  // only where the message of the line starts
};

// Order matters: the first that fits gives the kind. Texts are those of Linux 6.12.
constexpr std::array patterns{
    Pattern{"BUG: KASAN:", ReportKind::kasan, false},
    Pattern{"BUG: KFENCE:", ReportKind::kasan, false},
    Pattern{"UBSAN:", ReportKind::ubsan, true},
    Pattern{"Kernel panic - not syncing", ReportKind::panic, false},
    Pattern{"possible circular locking dependency detected", ReportKind::lockdep, false},
    Pattern{"possible recursive locking detected", ReportKind::lockdep, false},
    Pattern{"possible irq lock inversion dependency detected", ReportKind::lockdep, false},
    Pattern{"irq lock inversion dependency detected", ReportKind::lockdep, false},
    Pattern{"-safe -> ", ReportKind::lockdep, false},
    Pattern{"WARNING: inconsistent lock state", ReportKind::lockdep, false},
    Pattern{"inconsistent {", ReportKind::lockdep, false},
    Pattern{"WARNING: bad unlock balance", ReportKind::lockdep, false},
    Pattern{"bad unlock balance detected", ReportKind::lockdep, false},
    Pattern{"bad contention detected", ReportKind::lockdep, false},
    Pattern{"WARNING: held lock freed", ReportKind::lockdep, false},
    Pattern{"WARNING: suspicious RCU usage", ReportKind::lockdep, false},
    Pattern{"WARNING: Nested lock was not taken", ReportKind::lockdep, false},
    Pattern{"INFO: lockdep is turned off", ReportKind::lockdep, false},
    Pattern{"INFO: trying to register non-static key", ReportKind::lockdep, false},
    Pattern{"lock held when returning to user space", ReportKind::lockdep, false},
    Pattern{"lock held at task exit time", ReportKind::lockdep, false},
    Pattern{"INVALID CONTEXT", ReportKind::lockdep, true},
    Pattern{"[ BUG: Invalid wait context ]", ReportKind::lockdep, false},
    Pattern{"DEBUG_LOCKS_WARN_ON(", ReportKind::lockdep, false},
    Pattern{"INFO: task ", ReportKind::hung_task, true},
    Pattern{"watchdog: BUG: soft lockup", ReportKind::stall, false},
    Pattern{"self-detected stall on CPU", ReportKind::stall, false},
    Pattern{"detected stalls on CPUs", ReportKind::stall, false},
    Pattern{"detected expedited stalls", ReportKind::stall, false},
    Pattern{"hard LOCKUP", ReportKind::stall, false},
    Pattern{"Oops: ", ReportKind::oops, true},
    Pattern{"Unable to handle kernel", ReportKind::oops, true},
    Pattern{"general protection fault", ReportKind::oops, true},
    Pattern{"divide error:", ReportKind::oops, true},
    Pattern{"invalid opcode:", ReportKind::oops, true},
    Pattern{"stack segment:", ReportKind::oops, true},
    Pattern{"double fault:", ReportKind::oops, true},
    Pattern{"kernel BUG at ", ReportKind::bug, true},
    Pattern{"BUG: ", ReportKind::bug, true},
    Pattern{"list_add corruption", ReportKind::bug, true},
    Pattern{"list_del corruption", ReportKind::bug, true},
    Pattern{"refcount_t: ", ReportKind::warning, true},
    Pattern{"ODEBUG: ", ReportKind::warning, true},
    Pattern{"WARNING: ", ReportKind::warning, true},
};

// The line without "<4>", "[   12.345678]" and "[  T123]" in front.
std::string_view without_stamp(std::string_view line) {
    if (line.size() > 2 && line[0] == '<') {
        const std::size_t end = line.find('>');
        if (end != std::string_view::npos && end <= 4) {
            line.remove_prefix(end + 1);
        }
    }
    for (int brackets = 0; brackets < 2 && !line.empty() && line[0] == '['; ++brackets) {
        const std::size_t end = line.find(']');
        if (end == std::string_view::npos || end > 24) {
            break;
        }
        const std::string_view inside = line.substr(1, end - 1);
        const bool stamp = inside.find_first_not_of(" 0123456789.TC") == std::string_view::npos;
        if (!stamp) {
            break;
        }
        line.remove_prefix(end + 1);
        while (!line.empty() && line[0] == ' ') {
            line.remove_prefix(1);
        }
    }
    return line;
}

const Pattern* match(std::string_view message) {
    for (const Pattern& pattern : patterns) {
        const std::size_t at = message.find(pattern.text);
        if (at == std::string_view::npos || (pattern.at_start && at != 0)) {
            continue;
        }
        if (pattern.kind == ReportKind::hung_task &&
            message.find(" blocked for more than ") == std::string_view::npos) {
            continue;
        }
        if (pattern.text == "-safe -> " && message.find("lock order detected") == message.npos) {
            continue;
        }
        return &pattern;
    }
    // A console shared by several CPUs or with user space may put a report behind other text.
    static constexpr std::array<std::string_view, 4> anywhere{
        "kernel BUG at ", "Oops: 0", "BUG: unable to handle ", "BUG: kernel NULL pointer"};
    static constexpr Pattern late{"", ReportKind::oops, false};
    for (const std::string_view text : anywhere) {
        if (message.find(text) != std::string_view::npos) {
            return &late;
        }
    }
    return nullptr;
}

constexpr unsigned excerpt_lines = 40;

// Lines that end one report: what follows is a new one.
bool closes_report(std::string_view message) {
    return message.find("---[ end trace") != std::string_view::npos ||
           message.find("---[ end Kernel panic") != std::string_view::npos;
}

}  // namespace

std::vector<KernelReport> find_kernel_reports(std::string_view text, std::uint64_t base) {
    std::vector<KernelReport> reports;
    unsigned open_lines = 0;  // lines left of the excerpt of reports.back()
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t newline = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, newline - at);
        if (!line.empty() && line.back() == '\r') {
            line.remove_suffix(1);
        }
        const std::string_view message = without_stamp(line);
        const Pattern* found = match(message);
        // Within a report only a graver or another kind starts a new one: a KASAN report's own
        // "BUG:" lines or an oops' second header line are the same event.
        const bool same_event =
            open_lines > 0 && found != nullptr && !reports.empty() &&
            (found->kind == reports.back().kind ||
             (found->kind != ReportKind::panic && found->kind != ReportKind::kasan &&
              found->kind != ReportKind::lockdep));
        if (found != nullptr && !same_event) {
            reports.push_back(
                {found->kind, std::string(message), std::string(line) + "\n", base + at});
            open_lines = excerpt_lines;
        } else if (open_lines > 0) {
            reports.back().excerpt.append(line).append("\n");
            open_lines = closes_report(message) ? 0 : open_lines - 1;
        }
        at = newline + 1;
    }
    return reports;
}

Result<Console::Mark> Console::mark() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(file_, error);
    if (error) {
        return errno_error(fmt::format("cannot read the console {}", file_.string()),
                           error.value());
    }
    return Mark{size};
}

Result<std::string> Console::text_since(Mark mark) const {
    MOSRIG_TRY(const std::string text, read_text_file(file_));
    if (text.size() < mark.offset) {
        return infra_error(fmt::format("the console {} has shrunk", file_.string()));
    }
    return text.substr(mark.offset);
}

Result<std::vector<KernelReport>> Console::reports_since(Mark mark) const {
    MOSRIG_TRY(const std::string text, text_since(mark));
    return find_kernel_reports(text, mark.offset);
}

Result<std::string> Console::tail(unsigned lines) const {
    MOSRIG_TRY(const std::string text, read_text_file(file_));
    std::size_t at = text.size();
    for (unsigned seen = 0; at > 0; --at) {
        if (text[at - 1] == '\n' && at != text.size() && ++seen == lines) {
            break;
        }
    }
    return text.substr(at);
}

}  // namespace mosrig
