// SPDX-License-Identifier: GPL-2.0-only
// pkey: memory protection keys, which are of the process's memory here.
#include <fmt/format.h>

#include "moswhy/explain.h"

namespace mosrig {
namespace {

// Memory that may be executed and not read is made by a key that the kernel allocates for itself.
bool execute_only(const Mapping& mapping) {
    return mapping.access.starts_with("--x");
}

}  // namespace

Explanation explain_pkey(const Subject& subject) {
    Explanation explanation;
    for (const Mapping& mapping : subject.mappings()) {
        if (mapping.key != 0) {
            explanation.causes.push_back(
                fmt::format("{} {} has key {}{}", mapping.range(),
                            mapping.path.empty() ? "without a file" : mapping.path, mapping.key,
                            execute_only(mapping) ? ", for it is only to be executed" : ""));
        }
    }
    shorten(explanation.causes);
    if (explanation.causes.empty() && subject.open()) {
        explanation.causes.emplace_back("none of its mappings has a key now, but it keeps one");
    }
    explanation.remedy =
        "What a mapping's key forbids would be allowed on another node. It can move once it has "
        "freed its keys (pkey_free); the one that the kernel takes for memory only to be executed "
        "(PROT_EXEC alone) goes with execve. Programs that can do without keys get none with this "
        "boot parameter:";
    explanation.command = "nopku    # on the kernel's command line";
    return explanation;
}

}  // namespace mosrig
