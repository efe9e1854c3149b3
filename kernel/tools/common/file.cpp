// SPDX-License-Identifier: GPL-2.0-only
#include "common/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "common/fd.h"
#include "common/map.h"

namespace mosrig {
namespace {

Result<void> write_all(int fd, const std::string& path, const std::string& text) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) {
        return fail_errno("cannot write " + path, errno);
    }
    if (static_cast<std::size_t>(written) != text.size()) {
        return fail("cannot write all of " + path, EIO);
    }
    return {};
}

}  // namespace

Result<std::string> read_text(const std::string& path, std::size_t largest) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
        return fail_errno("cannot open " + path, errno);
    }
    std::string text;
    std::array<char, 4096> block{};
    for (;;) {
        const ssize_t got = ::read(fd.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_errno("cannot read " + path, errno);
        }
        if (got == 0) {
            return text;
        }
        text.append(block.data(), static_cast<std::size_t>(got));
        if (text.size() > largest) {
            return fail(path + " is larger than " + std::to_string(largest) + " bytes", EFBIG);
        }
    }
}

Result<void> write_text(const std::string& path, const std::string& text) {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd.valid()) {
        return fail_errno("cannot open " + path, errno);
    }
    return write_all(fd.get(), path, text);
}

Result<void> replace_text(const std::string& path, const std::string& text, Durable durable) {
    const std::string fresh = path + ".new";
    {
        const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        if (!fd.valid()) {
            return fail_errno("cannot create " + fresh, errno);
        }
        // Who may read it does not depend on the one who happens to write it.
        if (::fchmod(fd.get(), 0644) != 0) {
            return fail_errno("cannot make readable " + fresh, errno);
        }
        if (auto done = write_all(fd.get(), fresh, text); !done) {
            return done;
        }
        if (durable == Durable::yes && ::fsync(fd.get()) != 0) {
            return fail_errno("cannot write " + fresh, errno);
        }
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) {
        return fail_errno("cannot rename " + fresh, errno);
    }
    return {};
}

std::vector<std::uint32_t> numbers_in(const std::string& folder) {
    std::vector<std::uint32_t> numbers;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        if (const auto number = parse_number(at->path().filename().string(), INT32_MAX)) {
            numbers.push_back(*number);
        }
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

}  // namespace mosrig
