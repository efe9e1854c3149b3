// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/explain.h"

#include <algorithm>
#include <array>

namespace mosrig {
namespace {

struct Reason {
    std::string_view word;
    const char* meaning;
    Explanation (*explain)(const Subject& subject);
};

constexpr std::array reasons{
    Reason{"monkey", "it shares memory with others, or could", explain_monkey},
    Reason{"mmap_dev", "it has a device mapped into its memory", explain_mmap_dev},
    Reason{"kthread", "it is a thread of the kernel", explain_kthread},
    Reason{"priv_inst", "it has forbidden itself an instruction", explain_priv_inst},
    Reason{"mem_lock", "it has memory locked into RAM", explain_mem_lock},
    Reason{"clone_vm", "other threads or processes run in its memory", explain_clone_vm},
    Reason{"rt_sched", "it has a real-time priority", explain_rt_sched},
    Reason{"direct_io", "it may access I/O ports", explain_direct_io},
    Reason{"system", "the node cannot run without it", explain_system},
    Reason{"seccomp", "its system calls are filtered", explain_seccomp},
    Reason{"audit", "its system calls are audited", explain_audit},
    Reason{"sud", "it handles its own system calls", explain_sud},
    Reason{"ptrace", "a debugger or tracer holds it", explain_ptrace},
    Reason{"io_uring", "the kernel works on its memory through an io_uring", explain_io_uring},
    Reason{"aio", "the kernel works on its memory through asynchronous I/O", explain_aio},
    Reason{"userfaultfd", "another handles its page faults", explain_userfaultfd},
    Reason{"hugetlb", "it uses reserved huge pages", explain_hugetlb},
    Reason{"memfd_secret", "it has secret memory", explain_memfd_secret},
    Reason{"shadow_stack", "it has a shadow stack", explain_shadow_stack},
    Reason{"perf_mmap", "performance events of this node count what it does", explain_perf_mmap},
    Reason{"pkey", "it guards its memory by protection keys", explain_pkey},
    Reason{"amx", "it may use the tile registers of AMX", explain_amx},
};

// Whether the details of a reason are in files that only root and the owner can read.
bool needs_rights(std::string_view word) {
    constexpr std::array<std::string_view, 10> of_memory{
        "monkey",      "mmap_dev", "mem_lock",     "io_uring",  "aio",
        "userfaultfd", "hugetlb",  "memfd_secret", "perf_mmap", "pkey"};
    return std::find(of_memory.begin(), of_memory.end(), word) != of_memory.end();
}

}  // namespace

Finding explain_reason(std::string_view word, const Subject& subject) {
    const auto* const reason = std::find_if(reasons.begin(), reasons.end(),
                                            [&](const Reason& one) { return one.word == word; });
    if (reason == reasons.end()) {
        return {std::string(word), "a reason that this moswhy does not know", {}, false};
    }
    Finding finding{std::string(word), reason->meaning, reason->explain(subject), false};
    finding.hidden = finding.explanation.causes.empty() && needs_rights(word) && !subject.open();
    return finding;
}

std::vector<std::string_view> known_reasons() {
    std::vector<std::string_view> words;
    words.reserve(std::size(reasons));
    for (const Reason& reason : reasons) {
        words.push_back(reason.word);
    }
    return words;
}

}  // namespace mosrig
