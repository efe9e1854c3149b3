// SPDX-License-Identifier: GPL-2.0-only
#include "omd/log.h"

#include <fcntl.h>
#include <array>
#include <ctime>

namespace mosrig {

bool RateLimit::allow(Instant now, std::uint64_t& kept_back) {
    const auto start = std::max(full_until_, now);
    if (start - now > period_ * (burst_ - 1)) {
        suppressed_++;
        return false;
    }
    full_until_ = start + period_;
    kept_back = std::exchange(suppressed_, 0);
    return true;
}

Result<void> Log::open(const std::string& path) {
    Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (!file.valid()) {
        return fail_errno("cannot open the log " + path, errno);
    }
    file_ = std::move(file);
    fd_ = file_.get();
    return {};
}

void Log::write(std::string_view text) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    std::array<char, 32> stamp{};
    std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string line = fmt::format("{}.{:03}Z omd[{}]: {}\n", stamp.data(),
                                         now.tv_nsec / 1000000, ::getpid(), text);
    // A full disk must not stop the daemon.
    [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
}

void Log::write_limited(RateLimit& limit, const std::string& text) {
    std::uint64_t kept_back = 0;
    if (!limit.allow(std::chrono::steady_clock::now(), kept_back)) {
        return;
    }
    if (kept_back > 0) {
        write(fmt::format("{} lines like the next were left out", kept_back));
    }
    write(text);
}

}  // namespace mosrig
