// SPDX-License-Identifier: GPL-2.0-only
// seccomp, audit, sud, ptrace: somebody wants to see or judge each of its system calls, at home.
#include <fmt/format.h>
#include <optional>

#include "common/map.h"
#include "moswhy/explain.h"

namespace mosrig {
namespace {

bool has_seccomp(const Subject& subject, pid_t pid) {
    const std::string mode = subject.status_of(pid, "Seccomp");
    return !mode.empty() && mode != "0";
}

// The highest ancestor of an unbroken line that has seccomp too: filters are inherited.
std::optional<pid_t> seccomp_from(const Subject& subject) {
    std::optional<pid_t> from;
    for (const pid_t pid : subject.ancestors()) {
        if (!has_seccomp(subject, pid)) {
            break;
        }
        from = pid;
    }
    return from;
}

}  // namespace

Explanation explain_seccomp(const Subject& subject) {
    Explanation explanation;
    const std::string mode = subject.status("Seccomp");
    const std::string filters = subject.status("Seccomp_filters");
    if (mode == "1") {
        explanation.causes.push_back("it is in strict mode: read, write and exit only");
    } else if (mode == "2") {
        explanation.causes.push_back(filters.empty() || filters == "1"
                                         ? "its calls go through a filter"
                                         : fmt::format("its calls go through {} filters", filters));
    }
    if (const auto from = seccomp_from(subject)) {
        explanation.causes.push_back(fmt::format(
            "its ancestor {} has seccomp too, and it is inherited", subject.title_of(*from)));
    }
    explanation.remedy =
        "Seccomp cannot be taken off a process that runs. Start it anew from outside of the "
        "container or sandbox (a login shell), or without its own sandbox; in a container:";
    explanation.command = "docker run --security-opt seccomp=unconfined ...";
    return explanation;
}

Explanation explain_audit(const Subject& subject) {
    Explanation explanation;
    const std::string uid = subject.process().read("loginuid").value_or("");
    explanation.causes.push_back(
        uid.empty() || uid == "4294967295"
            ? "its calls are audited"
            : fmt::format("its calls are audited, for the user who logged in as uid {}", uid));
    explanation.remedy =
        "That is decided when a process starts. With this rule new ones are not audited; start it "
        "anew from a new login:";
    explanation.command = "auditctl -a never,task";
    return explanation;
}

Explanation explain_sud(const Subject& subject) {
    return {{fmt::format("{} has had its calls dispatched to itself (prctl "
                         "PR_SET_SYSCALL_USER_DISPATCH), as Wine does",
                         subject.title_of(subject.pid()))},
            "It can move once it has turned that off by the same prctl, or was started without; no "
            "other process can.",
            ""};
}

Explanation explain_ptrace(const Subject& subject) {
    Explanation explanation;
    const std::string text = subject.status("TracerPid");
    const auto tracer = parse_number(text, INT32_MAX);
    explanation.remedy =
        "It can move once the tracer has let go of it (detach in gdb, ^C of strace):";
    if (tracer && *tracer != 0) {
        const auto pid = static_cast<pid_t>(*tracer);
        explanation.causes.push_back(fmt::format("process {} traces it", subject.title_of(pid)));
        explanation.command = fmt::format("kill {}    # ends {}", pid, subject.name_of(pid));
    }
    return explanation;
}

}  // namespace mosrig
