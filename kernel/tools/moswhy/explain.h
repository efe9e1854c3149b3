// SPDX-License-Identifier: GPL-2.0-only
// One function for each word of /proc/PID/cantmove: what in this process is the cause.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moswhy/subject.h"

namespace mosrig {

// What a reason comes from, and what takes it away.
struct Explanation {
    std::vector<std::string> causes;  // one line each; empty if none was found
    std::string remedy;               // a sentence
    std::string command;              // to be typed; may be empty
};

// A reason in plain words.
struct Finding {
    std::string word;     // as in cantmove
    std::string meaning;  // of the word
    Explanation explanation;
    bool hidden = false;  // its details may not be read by the one who asks
};

// Explains one word. A word that it does not know is passed on as it is.
Finding explain_reason(std::string_view word, const Subject& subject);

// The words that explain_reason() knows.
std::vector<std::string_view> known_reasons();

// reasons/monkey.cpp
Explanation explain_monkey(const Subject& subject);
// reasons/mapped.cpp
Explanation explain_mmap_dev(const Subject& subject);
Explanation explain_hugetlb(const Subject& subject);
Explanation explain_memfd_secret(const Subject& subject);
Explanation explain_perf_mmap(const Subject& subject);
Explanation explain_shadow_stack(const Subject& subject);
// reasons/pkey.cpp
Explanation explain_pkey(const Subject& subject);
// reasons/mem_lock.cpp
Explanation explain_mem_lock(const Subject& subject);
// reasons/clone_vm.cpp
Explanation explain_clone_vm(const Subject& subject);
// reasons/rt_sched.cpp
Explanation explain_rt_sched(const Subject& subject);
// reasons/rings.cpp
Explanation explain_io_uring(const Subject& subject);
Explanation explain_aio(const Subject& subject);
Explanation explain_userfaultfd(const Subject& subject);
// reasons/syscalls.cpp
Explanation explain_seccomp(const Subject& subject);
Explanation explain_audit(const Subject& subject);
Explanation explain_sud(const Subject& subject);
Explanation explain_ptrace(const Subject& subject);
// reasons/nature.cpp
Explanation explain_priv_inst(const Subject& subject);
Explanation explain_amx(const Subject& subject);
Explanation explain_direct_io(const Subject& subject);
Explanation explain_system(const Subject& subject);
Explanation explain_kthread(const Subject& subject);

// reasons/common.cpp

// As one word of a shell, whatever is in it: a person copies commands, root first.
std::string quoted(const std::string& word);
// "and 3 more" instead of all behind the first few.
void shorten(std::vector<std::string>& causes, std::size_t most = 8);
// "1 (init), 7 (x) and 2 more".
std::string list_of(const std::vector<std::string>& titles, std::size_t most = 5);
// Causes of all mappings that `match`: "RANGE PATH".
std::vector<std::string> describe_mappings(const Subject& subject,
                                           bool (*match)(const Mapping& mapping));
// "descriptor 5" for each that is open on `target`.
std::vector<std::string> describe_descriptors(const Subject& subject, std::string_view target,
                                              std::string_view what);

}  // namespace mosrig
