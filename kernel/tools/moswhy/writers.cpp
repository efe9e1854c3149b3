// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/writers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <cstdlib>

#include "common/file.h"
#include "moswhy/mounts.h"

namespace mosrig {
namespace {

bool may_write(const std::string& fdinfo) {
    const auto access = std::strtoul(field_of(fdinfo, "flags").c_str(), nullptr, 8) & O_ACCMODE;
    return access == O_WRONLY || access == O_RDWR;
}

}  // namespace

std::vector<Writer> Writers::of(const Mapping& mapping) const {
    std::vector<Writer> found;
    for (const Entry& entry : entries()) {
        if (same_file(entry, mapping)) {
            found.push_back(entry.writer);
        }
    }
    return found;
}

// By device and inode as maps has them too. stat() of the descriptor has others on file systems
// that make up a device for each subvolume or layer.
bool Writers::same_file(const Entry& entry, const Mapping& mapping) const {
    if (entry.inode != mapping.inode) {
        return false;
    }
    const Process process(entry.writer.pid, subject_.places().proc());
    for (const Mount& mount : parse_mounts(process.read("mountinfo").value_or(""))) {
        if (mount.id == entry.mount) {
            return mount.device == mapping.device;
        }
    }
    // Of a mount that this process no longer sees; then there is only the path.
    return link_target(fmt::format("{}/fd/{}", process.folder(), entry.writer.descriptor)) ==
           mapping.path;
}

const std::vector<Writers::Entry>& Writers::entries() const {
    if (entries_) {
        return *entries_;
    }
    entries_.emplace();
    for (const pid_t pid : subject_.all()) {
        const Process process(pid, subject_.places().proc());
        for (const std::uint32_t number : numbers_in(process.folder() + "/fdinfo")) {
            const std::string text = process.read(fmt::format("fdinfo/{}", number)).value_or("");
            if (may_write(text)) {
                entries_->push_back({{pid, static_cast<int>(number)},
                                     std::strtoull(field_of(text, "ino").c_str(), nullptr, 10),
                                     field_of(text, "mnt_id")});
            }
        }
    }
    return *entries_;
}

}  // namespace mosrig
