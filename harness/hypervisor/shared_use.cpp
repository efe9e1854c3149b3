// SPDX-License-Identifier: MIT
#include "harness/hypervisor/shared_use.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "harness/deadline/deadline.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

// Longer than libvirtd takes to start or end.
constexpr Millis lock_limit(120'000);

// The lock, if it is free now and its file has not been removed with the folder meanwhile.
Result<std::optional<Fd>> try_lock(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder / "users", error);
    const fs::path file = folder / "lock";
    Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd && errno == ENOENT) {
        return std::nullopt;
    }
    if (!fd) {
        return errno_error(fmt::format("cannot create {}", file.string()), errno,
                           errno == ENOSPC ? "free some space on this file system" : "run as root");
    }
    struct stat ours = {};
    struct stat there = {};
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(fd.get(), &ours) != 0 ||
        ::stat(file.c_str(), &there) != 0 || ours.st_ino != there.st_ino) {
        return std::nullopt;
    }
    return fd;
}

}  // namespace

bool SharedUse::in_use() const {
    return fs::exists(folder_);
}

Result<Fd> SharedUse::lock() const {
    Fd held;
    MOSRIG_CHECK(wait_until(Deadline(fmt::format("the lock of {}", folder_.string()), lock_limit),
                            [&]() -> Result<bool> {
                                MOSRIG_TRY(std::optional<Fd> got, try_lock(folder_));
                                if (got) {
                                    held = std::move(*got);
                                }
                                return got.has_value();
                            }));
    return held;
}

fs::path SharedUse::file_of(const fs::path& user) const {
    std::string name = fs::absolute(user).lexically_normal().string();
    std::replace(name.begin(), name.end(), '/', '!');
    return folder_ / "users" / name;
}

bool SharedUse::has_users() const {
    std::error_code error;
    for (fs::directory_iterator at(folder_ / "users", error), end; !error && at != end;
         at.increment(error)) {
        std::string name = at->path().filename().string();
        std::replace(name.begin(), name.end(), '!', '/');
        if (fs::exists(name)) {
            return true;
        }
    }
    return false;
}

Result<void> SharedUse::enter(const fs::path& user, const Work& make_sure) {
    MOSRIG_TRY(const Fd held, lock());
    MOSRIG_CHECK(write_text_file(file_of(user), ""));
    return make_sure();
}

Result<void> SharedUse::leave(const fs::path& user, const Work& end) {
    if (!in_use()) {
        return {};
    }
    MOSRIG_TRY(const Fd held, lock());
    std::error_code error;
    fs::remove(file_of(user), error);
    if (has_users()) {
        return {};
    }
    MOSRIG_CHECK(end());
    fs::remove_all(folder_, error);
    if (error) {
        return errno_error(fmt::format("cannot remove {}", folder_.string()), error.value());
    }
    return {};
}

}  // namespace mosrig
