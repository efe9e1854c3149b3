// SPDX-License-Identifier: GPL-2.0-only
// clone_vm: other tasks run in the same memory.
#include <fmt/format.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "moswhy/explain.h"

namespace mosrig {
namespace {

// Of different pids, and not within one process: vfork() until the child's execve(), or clone().
bool share_memory(const Subject& subject, pid_t other) {
    if (subject.places().root.empty()) {
        return ::syscall(SYS_kcmp, subject.pid(), other, KCMP_VM, 0, 0) == 0;
    }
    return false;
}

std::vector<std::string> memory_mates(const Subject& subject) {
    std::vector<std::string> titles;
    const std::string size = subject.status("VmSize");
    for (const pid_t pid : subject.all()) {
        if (pid != subject.pid() && !size.empty() && subject.status_of(pid, "VmSize") == size &&
            share_memory(subject, pid)) {
            titles.push_back(subject.title_of(pid));
        }
    }
    return titles;
}

}  // namespace

Explanation explain_clone_vm(const Subject& subject) {
    Explanation explanation;
    for (const Thread& thread : subject.threads()) {
        if (thread.tid != subject.pid()) {
            explanation.causes.push_back(fmt::format("thread {} ({})", thread.tid, thread.name));
        }
    }
    shorten(explanation.causes);
    if (!explanation.causes.empty()) {
        explanation.remedy =
            "Threads share one memory and stay together at home. It can move when the other "
            "threads have ended; or start it anew with one thread (often an option such as -j 1 "
            "or --threads=1, or, for OpenMP and math libraries, by this variable):";
        explanation.command = "OMP_NUM_THREADS=1 PROGRAM";
        return explanation;
    }
    const auto mates = memory_mates(subject);
    if (!mates.empty()) {
        explanation.causes.push_back("it shares its memory with process " + list_of(mates));
    }
    explanation.remedy =
        "A child made by vfork, or by clone with CLONE_VM, runs in its memory. It can move when "
        "the child has executed its program or ended.";
    explanation.command = fmt::format("ps --ppid {}", subject.pid());
    return explanation;
}

}  // namespace mosrig
