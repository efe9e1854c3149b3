// SPDX-License-Identifier: MIT
#include "harness/cluster/resources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "harness/base/fd.h"

namespace mosrig {

Result<void> ResourceLog::record(const std::string& kind, const std::string& name) {
    const Fd fd(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const std::string line = fmt::format("{} {}\n", kind, name);
    // One write: a crash leaves whole lines, or a last one that names nothing that exists.
    if (!fd || ::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        ::fdatasync(fd.get()) != 0) {
        return errno_error(fmt::format("cannot record in {}", file_.string()), errno,
                           errno == ENOSPC ? "free some space on this file system" : "");
    }
    return {};
}

Result<std::vector<Resource>> ResourceLog::load() const {
    std::vector<Resource> all;
    if (!std::filesystem::exists(file_)) {
        return all;
    }
    MOSRIG_TRY(const std::string text, read_text_file(file_));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t space = line.find(' ');
        if (space != std::string::npos && space + 1 < line.size()) {
            all.push_back({line.substr(0, space), line.substr(space + 1)});
        }
    }
    return all;
}

}  // namespace mosrig
