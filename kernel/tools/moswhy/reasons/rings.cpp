// SPDX-License-Identifier: GPL-2.0-only
// io_uring, aio, userfaultfd: the kernel of this node works on its memory, or hears of its faults.
#include <fmt/format.h>

#include "moswhy/explain.h"
#include "moswhy/reasons/kinds.h"

namespace mosrig {

Explanation explain_io_uring(const Subject& subject) {
    Explanation explanation;
    explanation.causes = describe_descriptors(subject, "anon_inode:[io_uring]", "an io_uring");
    for (auto& mapping : describe_mappings(subject, is_io_uring)) {
        explanation.causes.push_back("its ring is mapped at " + mapping);
    }
    shorten(explanation.causes);
    explanation.remedy =
        "It can move once it has closed this descriptor and unmapped the ring. Most programs use "
        "plain calls where there is no io_uring; start it anew after:";
    explanation.command = "sysctl kernel.io_uring_disabled=2";
    return explanation;
}

Explanation explain_aio(const Subject& subject) {
    Explanation explanation;
    for (auto& mapping : describe_mappings(subject, is_aio)) {
        explanation.causes.push_back("context of io_setup at " + mapping);
    }
    explanation.remedy =
        "It can move once it has called io_destroy. Databases have an option against it (MySQL: "
        "innodb_use_native_aio=0); others use plain calls where there is none; start it anew "
        "after:";
    explanation.command = "sysctl fs.aio-max-nr=0";
    return explanation;
}

Explanation explain_userfaultfd(const Subject& subject) {
    Explanation explanation;
    explanation.causes = describe_descriptors(subject, "anon_inode:[userfaultfd]", "a userfaultfd");
    for (auto& mapping : describe_mappings(subject, [](const Mapping& one) {
             return one.has_flag("um") || one.has_flag("uw") || one.has_flag("ui");
         })) {
        explanation.causes.push_back("registered: " + mapping);
    }
    shorten(explanation.causes);
    explanation.remedy =
        "Its page faults are another's to handle, here. It can move once the memory is "
        "unregistered and the descriptor closed; where users need not have it, start it anew as a "
        "user other than root after:";
    explanation.command = "sysctl vm.unprivileged_userfaultfd=0";
    return explanation;
}

}  // namespace mosrig
