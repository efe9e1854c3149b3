// SPDX-License-Identifier: GPL-2.0-only
// monkey: memory that others can change, or whose changes others see; views of a file that somebody
// may write to.
#include <fmt/format.h>
#include <optional>
#include <set>
#include <sstream>

#include "common/file.h"
#include "common/printable.h"
#include "moswhy/explain.h"
#include "moswhy/mounts.h"
#include "moswhy/reasons/kinds.h"
#include "moswhy/writers.h"

namespace mosrig {
namespace {

constexpr std::string_view sysv = "/SYSV";

struct Segment {
    int creator;
    int attached;
};

// /proc/sysvipc/shm: "key shmid perms size cpid lpid nattch ..."
std::optional<Segment> find_segment(const Places& places, std::uint64_t id) {
    std::istringstream lines(read_text(places.proc() + "/sysvipc/shm").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        long key = 0;
        std::uint64_t shmid = 0;
        std::string permissions;
        std::uint64_t size = 0;
        int creator = 0;
        int last = 0;
        int attached = 0;
        if (words >> key >> shmid >> permissions >> size >> creator >> last >> attached &&
            shmid == id) {
            return Segment{creator, attached};
        }
    }
    return std::nullopt;
}

// Devices of the mounted file systems whose files are memory.
std::set<std::string> memory_devices(const Subject& subject) {
    std::set<std::string> devices;
    for (const Mount& mount : parse_mounts(subject.process().read("mountinfo").value_or(""))) {
        if (mount.type == "tmpfs" || mount.type == "devtmpfs") {
            devices.insert(mount.device);
        }
    }
    return devices;
}

bool is_shared_memory(const Mapping& mapping, const std::set<std::string>& devices) {
    return mapping.shared() &&
           (mapping.path.starts_with(sysv) || mapping.path.starts_with("/memfd:") ||
            mapping.file() == "/dev/zero" || mapping.path.starts_with("/dev/shm/") ||
            devices.contains(mapping.device));
}

bool has_own_word(const Mapping& mapping) {
    return is_hugetlb(mapping) || is_secret(mapping) || is_perf(mapping) || is_io_uring(mapping) ||
           is_aio(mapping) || is_device(mapping);
}

// Others that map the same file shared; with `writers` only those that may write to it.
std::vector<std::string> others_with(const Subject& subject, const Mapping& mapping, bool writers) {
    std::vector<std::string> titles;
    for (const pid_t pid : subject.all()) {
        if (pid == subject.pid()) {
            continue;
        }
        for (const Mapping& other : subject.mappings_of(pid)) {
            if (other.same_file(mapping) && other.shared()) {
                bool counts = !writers || other.writable();
                if (!counts) {  // mapped for reading now, but of a descriptor that may write
                    for (const Mapping& detail : subject.details_of(pid)) {
                        counts = counts || (detail.same_file(mapping) && detail.has_flag("sh"));
                    }
                }
                if (counts) {
                    titles.push_back(subject.title_of(pid));
                    break;
                }
            }
        }
    }
    return titles;
}

std::string also_in(const Subject& subject, const Mapping& mapping) {
    const auto others = others_with(subject, mapping, false);
    return others.empty() ? "" : ", which is also in " + list_of(others);
}

std::string describe_segment(const Subject& subject, const Mapping& mapping) {
    const auto segment = find_segment(subject.places(), mapping.inode);
    std::string text =
        fmt::format("{} is System V shared memory, shm id {}", mapping.range(), mapping.inode);
    if (segment) {
        const std::string creator = subject.name_of(segment->creator);
        text += creator == "?"
                    ? fmt::format(", made by process {}, which has ended", segment->creator)
                    : fmt::format(", made by {} ({})", segment->creator, creator);
        text += fmt::format("; attached {} time{}", segment->attached,
                            segment->attached == 1 ? "" : "s");
    }
    return text + also_in(subject, mapping);
}

std::string describe_memory(const Subject& subject, const Mapping& mapping) {
    if (mapping.path.starts_with(sysv)) {
        return describe_segment(subject, mapping);
    }
    std::string what = fmt::format("is shared memory, file {}", mapping.file());
    if (mapping.file() == "/dev/zero") {
        what = "is shared memory without a file (mmap with MAP_SHARED and MAP_ANONYMOUS)";
    } else if (mapping.path.starts_with("/memfd:")) {
        what =
            fmt::format("is shared memory of memfd_create, named '{}'", mapping.file().substr(7));
    }
    return fmt::format("{} {}{}", mapping.range(), what, also_in(subject, mapping));
}

// A mapping that keeps it here.
struct Hold {
    std::string text;
    bool mapped;  // it is shared as memory
    bool open;    // somebody has its file open for writing
};

std::string describe_writers(const Subject& subject, const std::vector<Writer>& writers) {
    std::vector<std::string> titles;
    titles.reserve(writers.size());
    for (const Writer& writer : writers) {
        titles.push_back(
            fmt::format("{} as descriptor {}",
                        writer.pid == subject.pid() ? "itself" : subject.title_of(writer.pid),
                        writer.descriptor));
    }
    return list_of(titles);
}

std::optional<Hold> describe_file(const Subject& subject, const Mapping& mapping,
                                  const Writers& writers) {
    const auto mapped = others_with(subject, mapping, true);
    const auto open = mapping.shared() ? writers.of(mapping) : std::vector<Writer>{};
    std::string text = fmt::format("{} is {}", mapping.range(), mapping.file());
    if (!mapped.empty()) {
        text += fmt::format(", which {} maps shared and writable", list_of(mapped));
    }
    if (!open.empty()) {
        text += fmt::format("{} open for writing in {}",
                            mapped.empty() ? ", mapped shared, which is" : "; it is",
                            describe_writers(subject, open));
    }
    return mapped.empty() && open.empty()
               ? std::nullopt
               : std::optional(Hold{std::move(text), !mapped.empty(), !open.empty()});
}

std::optional<Hold> describe(const Subject& subject, const Mapping& mapping,
                             const std::set<std::string>& devices, const Writers& writers) {
    if (is_shared_memory(mapping, devices)) {
        return Hold{describe_memory(subject, mapping), true, false};
    }
    if (mapping.shared_writable()) {
        return Hold{fmt::format("{} is {}, mapped shared and writable{}", mapping.range(),
                                mapping.file(), also_in(subject, mapping)),
                    true, false};
    }
    return describe_file(subject, mapping, writers);
}

std::string command_for(const Mapping& mapping, bool mapped) {
    if (mapping.path.starts_with(sysv)) {
        return fmt::format("ipcs -m -p; ipcs -m -i {}    # who made it, who used it last",
                           mapping.inode);
    }
    // A name that a terminal cannot show as it is cannot be typed either.
    if (!mapping.path.starts_with("/") || mapping.file() != mapping.path ||
        printable(mapping.path) != mapping.path) {
        return "";
    }
    const std::string file = quoted(mapping.file());
    return mapped ? fmt::format("grep -lF {} /proc/[0-9]*/maps    # all who map it", file)
                  : fmt::format("fuser -v {}    # all who use it; F: open for writing", file);
}

// The kernel counts who has a file open for writing, and does not tell who: also those that the
// one who asks may not look into, and a mapping that has outlived its descriptor.
void suspect_views(const Subject& subject, Explanation& explanation) {
    for (const Mapping& mapping : subject.mappings()) {
        if (mapping.of_file() && mapping.shared() && !has_own_word(mapping)) {
            explanation.causes.push_back(
                fmt::format("{} is {}, mapped shared; it may be open for writing where that cannot "
                            "be seen (root sees more)",
                            mapping.range(), mapping.file()));
            if (explanation.command.empty()) {
                explanation.command = command_for(mapping, false);
            }
        }
    }
}

constexpr const char* give_back =
    "Memory is shared within one node only. It can move as soon as this memory is given back "
    "(shmdt or munmap) by it or, if only another process writes to it, by that one: when the "
    "program is done with it, or started so that it uses none.";
constexpr const char* close_file =
    "What is written to an open file here, its view on another node would not show. It can move "
    "as soon as those that have the file open for writing have closed it, or it has unmapped it.";

}  // namespace

Explanation explain_monkey(const Subject& subject) {
    const auto devices = memory_devices(subject);
    const Writers writers(subject);
    Explanation explanation;
    bool shares = false;
    bool views = false;
    // A file is mapped in several pieces: one line is enough for those that only others write to.
    std::set<std::pair<std::string, std::uint64_t>> seen;
    for (const Mapping& mapping : subject.mappings()) {
        const bool others = !is_shared_memory(mapping, devices) && !mapping.shared_writable();
        if (!mapping.of_file() || has_own_word(mapping) ||
            (others && seen.contains({mapping.device, mapping.inode}))) {
            continue;
        }
        if (auto hold = describe(subject, mapping, devices, writers)) {
            seen.insert({mapping.device, mapping.inode});
            explanation.causes.push_back(std::move(hold->text));
            shares = shares || hold->mapped;
            views = views || hold->open;
            if (explanation.command.empty()) {
                explanation.command = command_for(mapping, hold->mapped);
            }
        }
    }
    if (explanation.causes.empty()) {
        suspect_views(subject, explanation);
        views = !explanation.causes.empty();
    }
    shorten(explanation.causes);
    if (shares || !views) {
        explanation.remedy = give_back;
    }
    if (views) {
        explanation.remedy += shares ? " " : "";
        explanation.remedy += close_file;
    }
    return explanation;
}

}  // namespace mosrig
