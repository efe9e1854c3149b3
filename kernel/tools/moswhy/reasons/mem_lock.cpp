// SPDX-License-Identifier: GPL-2.0-only
// mem_lock: memory that must not leave this machine's RAM.
#include <fmt/format.h>

#include "moswhy/explain.h"

namespace mosrig {

Explanation explain_mem_lock(const Subject& subject) {
    Explanation explanation;
    explanation.causes =
        describe_mappings(subject, [](const Mapping& mapping) { return mapping.has_flag("lo"); });
    const std::string locked = subject.status("VmLck");
    if (explanation.causes.empty() && !locked.empty() && locked != "0 kB") {
        explanation.causes.push_back(fmt::format("{} are locked", locked));
    }
    if (explanation.causes.empty() && subject.open()) {
        explanation.causes.push_back(
            "nothing is locked now, but mlockall(MCL_FUTURE) locks all that it will map");
    }
    explanation.remedy =
        "It can move once it has unlocked this memory (munlock, munlockall). Most programs that "
        "lock memory do without it if they may not; start it anew so, as a user other than root:";
    explanation.command = "ulimit -l 0; PROGRAM";
    return explanation;
}

}  // namespace mosrig
