// SPDX-License-Identifier: MIT
#include "harness/deadline/deadline.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace mosrig {

Deadline::Deadline(std::string name, Millis from_now)
    : name_(std::move(name)), total_(from_now), end_(Clock::now() + from_now) {}

Millis Deadline::remaining() const {
    const auto left = std::chrono::ceil<Millis>(end_ - Clock::now());
    return std::max(left, Millis(0));
}

int Deadline::poll_timeout(Millis cap) const {
    return static_cast<int>(std::min(remaining(), cap).count());
}

tl::unexpected<Error> Deadline::error(const std::string& detail) const {
    std::string text =
        fmt::format("waited {:.1f} s for {}", static_cast<double>(total_.count()) / 1000.0, name_);
    if (!detail.empty()) {
        text += "; " + detail;
    }
    if (observer_) {
        observer_(text);
    }
    return tl::unexpected(Error{ErrorKind::timeout, std::move(text), {}, {}, 0});
}

Result<void> wait_until(const Deadline& deadline, const std::function<Result<bool>()>& done,
                        Millis interval) {
    for (;;) {
        const Clock::time_point begin = Clock::now();
        MOSRIG_TRY(const bool is_done, done());
        if (is_done) {
            return {};
        }
        if (deadline.expired()) {
            return deadline.error();
        }
        // A slow node shall not spend much of its time on being looked at: that is load, which a
        // balancer acts upon. A signal may end this early, which only costs one more look.
        constexpr int rests = 3;  // for each look
        const auto look = std::chrono::duration_cast<Millis>(Clock::now() - begin);
        ::poll(nullptr, 0, deadline.poll_timeout(std::max(interval, rests * look)));
    }
}

Result<bool> comes_true(const Deadline& deadline, const std::function<Result<bool>()>& done,
                        Millis interval) {
    const Result<void> waited = wait_until(deadline, done, interval);
    if (!waited && !(waited.error().kind == ErrorKind::timeout && deadline.expired())) {
        return tl::unexpected(waited.error());
    }
    return waited.has_value();
}

}  // namespace mosrig
