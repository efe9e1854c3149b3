// SPDX-License-Identifier: MIT
#include "harness/journal/journal.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <system_error>

namespace mosrig {

namespace {

Result<Fd> open_for_append(const std::filesystem::path& file) {
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!fd) {
        return errno_error(fmt::format("cannot open {}", file.string()), errno);
    }
    return fd;
}

}  // namespace

Result<Journal> Journal::create(const std::filesystem::path& file) {
    // Whoever still reads the old one keeps it.
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
        return errno_error(fmt::format("cannot replace {}", file.string()), errno);
    }
    return open(file);
}

Result<Journal> Journal::open(const std::filesystem::path& file) {
    MOSRIG_TRY(Fd fd, open_for_append(file));
    return Journal(std::move(fd));
}

Result<void> Journal::append(nlohmann::json event) {
    event["time"] = timestamp();
    const std::string line =
        event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    // One write for the whole line: two writers with O_APPEND never mix theirs.
    const ssize_t done = ::write(fd_.get(), line.data(), line.size());
    if (done != static_cast<ssize_t>(line.size())) {
        return errno_error("cannot write the journal", done < 0 ? errno : ENOSPC,
                           "make room on the disk that holds build/");
    }
    if (::fdatasync(fd_.get()) != 0) {
        return errno_error("cannot write the journal", errno);
    }
    return {};
}

Result<std::vector<nlohmann::json>> read_journal(const std::filesystem::path& file) {
    MOSRIG_TRY(const std::string text, read_text_file(file));
    std::vector<nlohmann::json> events;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
        if (!event.is_discarded() && event.is_object()) {
            events.push_back(std::move(event));
        } else if (!lines.eof()) {
            return infra_error(fmt::format("{} has a line that is no JSON object", file.string()));
        }
    }
    return events;
}

std::string timestamp() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace mosrig
