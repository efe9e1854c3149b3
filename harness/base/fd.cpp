// SPDX-License-Identifier: MIT
#include "harness/base/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace mosrig {

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

int Fd::release() {
    return std::exchange(fd_, -1);
}

void Fd::reset() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = -1;
}

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return errno_error("cannot make a pipe", errno);
    }
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<void> set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        return errno_error("cannot make a descriptor non-blocking", errno);
    }
    return {};
}

Result<std::string> read_text_file(const std::filesystem::path& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return errno_error(fmt::format("cannot read {}", path.string()), errno);
    }
    std::string text;
    std::array<char, 65536> buffer{};
    for (;;) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno_error(fmt::format("cannot read {}", path.string()), errno);
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::string last_words(const std::filesystem::path& path) {
    constexpr std::size_t enough = 400;
    std::string text = read_text_file(path).value_or("");
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    if (text.size() > enough) {
        // From the beginning of a line, if there is one.
        const std::size_t line = text.find('\n', text.size() - enough);
        text.erase(0, line == std::string::npos ? text.size() - enough : line + 1);
    }
    return text.empty() ? text : "; its log ends with: " + text;
}

namespace {

// `path` is where that is, for the error.
Result<void> write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return errno_error(fmt::format("cannot write {}", path), errno,
                               errno == ENOSPC ? "free some space there" : "");
        }
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

}  // namespace

Result<void> write_text_file(const std::filesystem::path& path, std::string_view text,
                             unsigned mode) {
    const std::string temporary = fmt::format("{}.{}.tmp", path.string(), ::getpid());
    Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!fd) {
        return errno_error(fmt::format("cannot create {}", temporary), errno);
    }
    Result<void> written = write_all(fd.get(), text, temporary);
    // The umask must not widen or narrow what the caller asked for.
    if (written && ::fchmod(fd.get(), mode) != 0) {
        written = errno_error(fmt::format("cannot set the mode of {}", temporary), errno);
    }
    fd.reset();
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
        written = errno_error(fmt::format("cannot write {}", path.string()), errno);
    }
    if (!written) {
        ::unlink(temporary.c_str());
    }
    return written;
}

}  // namespace mosrig
