// SPDX-License-Identifier: GPL-2.0-only
// Who has a file open for writing.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "moswhy/subject.h"

namespace mosrig {

// A descriptor through which a file can be written.
struct Writer {
    pid_t pid;
    int descriptor;
};

// The descriptors of all processes, the subject's too, that may write. Read once, when they are
// first asked for: that is a file for each descriptor of the node.
class Writers {
  public:
    explicit Writers(const Subject& subject) : subject_(subject) {}

    // Those of the file of `mapping`, as far as the one who asks may look into the processes.
    [[nodiscard]] std::vector<Writer> of(const Mapping& mapping) const;

  private:
    struct Entry {
        Writer writer;
        std::uint64_t inode;
        std::string mount;
    };
    [[nodiscard]] const std::vector<Entry>& entries() const;
    [[nodiscard]] bool same_file(const Entry& entry, const Mapping& mapping) const;

    const Subject& subject_;
    mutable std::optional<std::vector<Entry>> entries_;
};

}  // namespace mosrig
