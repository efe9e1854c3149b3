// SPDX-License-Identifier: GPL-2.0-only
#include "common/process.h"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sstream>
#include <utility>

#include "common/file.h"
#include "common/syscall_name.h"

namespace mosrig {
namespace {

std::optional<long> parse_long(std::string_view text) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool number = error == std::errc{} && end != text.data();
    return number ? std::optional(value) : std::nullopt;
}

const char* explain(int code) {
    switch (code) {
        case EPERM:
        case EACCES:
            return "only who may kill it may move it";
        case ECONNREFUSED:
            return "the node takes no guests (mosctl noblock, on that node, changes this)";
        case ESRCH:
            return "the process has ended";
        case EINVAL:
            return "the kernel does not take this as a node";
        case ENXIO:
            return "no such node is configured";
        case ENETUNREACH:
            return "the node is down";
        case EBUSY:
            return "it has to stay";
        case EALREADY:
            return "an earlier request is still under way";
        case EAGAIN:
            return "there is no idle link to the node, or the process kept changing its mappings; "
                   "try again";
        case ETIMEDOUT:
            return "the node answers, but did not get ready for the process";
        case EOPNOTSUPP:
            return "the node's CPU has other features than this one's";
        default:
            return nullptr;
    }
}

}  // namespace

std::optional<ProcStat> parse_stat(const std::string& line) {
    const std::size_t close = line.rfind(')');
    if (close == std::string::npos) {
        return std::nullopt;
    }
    std::istringstream rest(line.substr(close + 1));
    ProcStat stat{};
    rest >> stat.state >> stat.parent;
    return rest ? std::optional(stat) : std::nullopt;
}

std::map<std::string, std::string> parse_values(const std::string& text) {
    std::map<std::string, std::string> values;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t blank = line.find(' ');
        values[line.substr(0, blank)] =
            blank == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', blank));
    }
    return values;
}

std::optional<std::string> call_from_syscall_file(const std::string& text) {
    const auto number = parse_long(text);  // "running" is no number
    return number && *number >= 0 ? std::optional(syscall_name(*number)) : std::nullopt;
}

Process::Process(pid_t pid, const std::string& proc)
    : Process(pid, proc, proc + "/" + std::to_string(pid)) {}

Process::Process(pid_t pid, std::string proc, std::string folder)
    : pid_(pid), proc_(std::move(proc)), folder_(std::move(folder)) {}

Process Process::self() {
    return Process(::getpid(), "/proc", "/proc/self");
}

Result<std::string> Process::read(const std::string& name) const {
    return read_text(folder_ + "/" + name);
}

Result<void> Process::write(const std::string& name, const std::string& text) const {
    return write_text(folder_ + "/" + name, text);
}

std::optional<long> Process::number(const std::string& name) const {
    const auto text = read(name);
    return text ? parse_long(*text) : std::nullopt;
}

std::optional<ProcStat> Process::stat() const {
    const auto text = read("stat");
    return text ? parse_stat(*text) : std::nullopt;
}

std::string Process::reasons() const {
    std::istringstream words(read("cantmove").value_or(""));
    std::string all;
    for (std::string word; words >> word;) {
        all += (all.empty() ? "" : " ") + word;
    }
    return all;
}

std::string Process::activity() const {
    const auto current = stat();
    if (!current) {
        return "has ended";
    }
    if (current->state == 'T' || current->state == 't') {
        return "is stopped";
    }
    if (current->state == 'R') {
        return "is running";
    }
    if (const auto call = read("syscall").map(call_from_syscall_file).value_or(std::nullopt)) {
        return "sleeps in " + *call;
    }
    const std::string channel = read("wchan").value_or("0");
    if (!channel.empty() && channel != "0") {
        return "sleeps (in " + channel + ")";
    }
    return std::string("is in state ") + current->state;
}

bool Process::is_own_ancestor() const {
    for (pid_t pid = ::getppid(); pid > 0;) {
        if (pid == pid_) {
            return true;
        }
        const auto stat = Process(pid, proc_).stat();
        pid = stat ? stat->parent : 0;
    }
    return false;
}

std::string reason_of(const std::string& home_reason) {
    constexpr std::string_view kind = "reason:";
    return home_reason.starts_with(kind) ? home_reason.substr(kind.size()) : "";
}

std::string refusal_sentence(int code, const std::string& reasons) {
    std::string text = errno_name(code) + " (" + strerrordesc_np(code) + ")";
    if (const char* words = explain(code)) {
        text += std::string(": ") + words;
    }
    if (code == EBUSY && !reasons.empty()) {
        text += " because of " + reasons;
    }
    return text;
}

}  // namespace mosrig
