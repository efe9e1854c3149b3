// SPDX-License-Identifier: GPL-2.0-only
// direct_io, priv_inst, amx, system, kthread: what /proc has no details of.
#include <fmt/format.h>

#include "moswhy/explain.h"

namespace mosrig {

Explanation explain_direct_io(const Subject& subject) {
    return {{fmt::format("{} was given access to I/O ports (ioperm or iopl)",
                         subject.title_of(subject.pid()))},
            "The ports are this machine's. It can move once it has given the access back; without "
            "CAP_SYS_RAWIO it would not get it:",
            "setpriv --bounding-set -sys_rawio PROGRAM"};
}

Explanation explain_priv_inst(const Subject& subject) {
    return {{fmt::format("{} has made the time stamp counter or the CPU's identity raise a signal "
                         "(prctl PR_SET_TSC, arch_prctl ARCH_SET_CPUID)",
                         subject.title_of(subject.pid()))},
            "Only this node would keep to that. It can move once it allows it again by the same "
            "call; another program in its place (execve) keeps the ban on the counter.",
            ""};
}

Explanation explain_amx(const Subject& subject) {
    return {{fmt::format("{} has asked for tile registers (arch_prctl ARCH_REQ_XCOMP_PERM)",
                         subject.title_of(subject.pid()))},
            "They do not travel, and are its and its children's for good; another program in its "
            "place (execve) begins without. Libraries that use AMX where there is some find none "
            "with this boot parameter:",
            "clearcpuid=amx_tile    # on the kernel's command line"};
}

Explanation explain_system(const Subject& subject) {
    return {{fmt::format("{} is the first process, which all others of this node descend from",
                         subject.title_of(subject.pid()))},
            "It stays, always. What it starts can move.",
            ""};
}

Explanation explain_kthread(const Subject& subject) {
    return {{fmt::format("{} is a part of this node's kernel", subject.title_of(subject.pid()))},
            "It stays, always.",
            ""};
}

}  // namespace mosrig
