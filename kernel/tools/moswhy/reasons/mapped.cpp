// SPDX-License-Identifier: GPL-2.0-only
// mmap_dev, hugetlb, memfd_secret, perf_mmap, shadow_stack: mappings of a kind that stays.
#include <fmt/format.h>

#include "moswhy/explain.h"
#include "moswhy/reasons/kinds.h"

namespace mosrig {
namespace {

constexpr std::string_view anonymous_inode = "anon_inode:";

}  // namespace

bool is_hugetlb(const Mapping& mapping) {
    return mapping.has_flag("ht") || mapping.path.starts_with("/anon_hugepage");
}

bool is_secret(const Mapping& mapping) {
    return mapping.file() == "/secretmem";
}

bool is_perf(const Mapping& mapping) {
    return mapping.path == "anon_inode:[perf_event]";
}

bool is_io_uring(const Mapping& mapping) {
    return mapping.path == "anon_inode:[io_uring]";
}

bool is_aio(const Mapping& mapping) {
    return mapping.file() == "/[aio]";
}

bool is_device(const Mapping& mapping) {
    if (is_perf(mapping) || is_io_uring(mapping) || is_hugetlb(mapping)) {
        return false;
    }
    if (mapping.path.starts_with(anonymous_inode) || mapping.path.starts_with("socket:")) {
        return true;
    }
    // vdso and vvar have these flags too, but no file; a private /dev/zero is plain memory, and a
    // shared one is shared memory without a device.
    if (mapping.of_file() && (mapping.has_flag("io") || mapping.has_flag("pf"))) {
        return true;
    }
    return mapping.path.starts_with("/dev/") && !mapping.path.starts_with("/dev/shm/") &&
           !mapping.path.starts_with("/dev/hugepages/") && mapping.file() != "/dev/zero";
}

Explanation explain_mmap_dev(const Subject& subject) {
    return {describe_mappings(subject, is_device),
            "A device's memory is in this machine. It can move once it has unmapped the device or "
            "closed what uses it; programs with a display, sound or a GPU often can be started "
            "without.",
            fmt::format("ls -l /proc/{}/fd    # which of its descriptors is the device",
                        subject.pid())};
}

Explanation explain_hugetlb(const Subject& subject) {
    return {describe_mappings(subject, is_hugetlb),
            "Reserved huge pages cannot be paged over the network. Start it without them "
            "(transparent huge pages, which need no setting, do move); where it falls back by "
            "itself, take the reserve away first.",
            "sysctl vm.nr_hugepages=0    # then start it anew"};
}

Explanation explain_memfd_secret(const Subject& subject) {
    return {describe_mappings(subject, is_secret),
            "Not even the kernel may read this memory, so it cannot be sent. It can move once the "
            "program has unmapped it; programs that can do without get none with this boot "
            "parameter:",
            "secretmem.enable=0    # on the kernel's command line"};
}

Explanation explain_perf_mmap(const Subject& subject) {
    const auto events_of = [](const Subject& one) {
        return describe_descriptors(one, "anon_inode:[perf_event]", "a performance event");
    };
    std::vector<std::string> causes = describe_mappings(subject, is_perf);
    const std::vector<std::string> open = events_of(subject);
    causes.insert(causes.end(), open.begin(), open.end());
    pid_t counter = subject.pid();
    if (causes.empty()) {
        // Whom an event counts, no file says; only who has one.
        for (const pid_t pid : subject.all()) {
            const auto events = events_of(Subject(pid, subject.places()));
            if (!events.empty()) {
                counter = pid;
                causes.push_back(fmt::format("of {}, {}", subject.title_of(pid), events.front()));
            }
        }
    }
    return {causes,
            "Events of this machine's kernel count what it does, for itself or for another, as "
            "perf. It can move once that has stopped.",
            fmt::format("kill -INT {}    # ends perf record and the like in good order", counter)};
}

Explanation explain_shadow_stack(const Subject& subject) {
    return {
        describe_mappings(subject, [](const Mapping& mapping) { return mapping.has_flag("ss"); }),
        "Its CPU checks return addresses against a shadow stack, which cannot be moved. Start "
        "it anew without:",
        "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off PROGRAM"};
}

}  // namespace mosrig
