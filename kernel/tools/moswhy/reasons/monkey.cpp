// SPDX-License-Identifier: GPL-2.0-only
// monkey: memory that others can change, or whose changes others see.
#include <fmt/format.h>
#include <optional>
#include <set>
#include <sstream>

#include "common/file.h"
#include "moswhy/explain.h"
#include "moswhy/reasons/kinds.h"

namespace mosrig {
namespace {

constexpr std::string_view kSysv = "/SYSV";

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
    std::istringstream lines(subject.process().read("mountinfo").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string id;
        std::string parent;
        std::string device;
        words >> id >> parent >> device;
        const std::size_t dash = line.find(" - ");
        const std::string type = dash == std::string::npos ? "" : line.substr(dash + 3);
        unsigned major = 0;
        unsigned minor = 0;
        char colon = 0;
        if ((type.starts_with("tmpfs ") || type.starts_with("devtmpfs ")) &&
            std::istringstream(device) >> major >> colon >> minor) {
            devices.insert(fmt::format("{:02x}:{:02x}", major, minor));  // as in maps
        }
    }
    return devices;
}

bool is_memory_file(const Mapping& mapping, const std::set<std::string>& devices) {
    return mapping.path.starts_with(kSysv) || mapping.path.starts_with("/memfd:") ||
           mapping.file() == "/dev/zero" || mapping.path.starts_with("/dev/shm/") ||
           devices.contains(mapping.device);
}

bool has_own_word(const Mapping& mapping) {
    return is_hugetlb(mapping) || is_secret(mapping) || is_perf(mapping) || is_io_uring(mapping) ||
           is_aio(mapping) || is_device(mapping);
}

// Others that map the same file shared; with @p writers only those that may write to it.
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
    if (mapping.path.starts_with(kSysv)) {
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

std::optional<std::string> describe(const Subject& subject, const Mapping& mapping,
                                    const std::set<std::string>& devices) {
    if (!mapping.of_file() || has_own_word(mapping)) {
        return std::nullopt;
    }
    if (mapping.shared() && is_memory_file(mapping, devices)) {
        return describe_memory(subject, mapping);
    }
    if (mapping.shared_writable()) {
        return fmt::format("{} is {}, mapped shared and writable{}", mapping.range(),
                           mapping.file(), also_in(subject, mapping));
    }
    const auto writers = others_with(subject, mapping, true);
    if (writers.empty()) {
        return std::nullopt;
    }
    return fmt::format("{} is {}, which {} maps shared and writable", mapping.range(),
                       mapping.file(), list_of(writers));
}

std::string command_for(const Subject& subject, const std::set<std::string>& devices) {
    for (const Mapping& mapping : subject.mappings()) {
        if (mapping.path.starts_with(kSysv)) {
            return fmt::format("ipcs -m -p; ipcs -m -i {}    # who made it, who used it last",
                               mapping.inode);
        }
        if (mapping.of_file() && !has_own_word(mapping) && mapping.path.starts_with("/") &&
            !mapping.path.ends_with(" (deleted)") &&
            describe(subject, mapping, devices).has_value()) {
            return fmt::format("grep -lF '{}' /proc/[0-9]*/maps    # all who map it",
                               mapping.file());
        }
    }
    return "";
}

}  // namespace

Explanation explain_monkey(const Subject& subject) {
    const auto devices = memory_devices(subject);
    Explanation explanation;
    // A file is mapped in several pieces: one line is enough for those that only others write to.
    std::set<std::pair<std::string, std::uint64_t>> seen;
    for (const Mapping& mapping : subject.mappings()) {
        if (!mapping.shared() && seen.contains({mapping.device, mapping.inode})) {
            continue;
        }
        if (auto text = describe(subject, mapping, devices)) {
            seen.insert({mapping.device, mapping.inode});
            explanation.causes.push_back(std::move(*text));
        }
    }
    shorten(explanation.causes);
    explanation.remedy =
        "Memory is shared within one node only. It can move as soon as this memory is given back "
        "(shmdt or munmap) by it or, if only another process writes to it, by that one: when the "
        "program is done with it, or started so that it uses none.";
    explanation.command = command_for(subject, devices);
    return explanation;
}

}  // namespace mosrig
