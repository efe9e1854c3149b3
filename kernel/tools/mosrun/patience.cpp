// SPDX-License-Identifier: GPL-2.0-only
#include "mosrun/patience.h"

#include <cerrno>
#include <thread>

namespace mosrig {

Result<void> ask_patiently(const std::function<Result<void>()>& ask,
                           std::chrono::milliseconds patience) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds pause{20};
    const auto deadline = Clock::now() + patience;
    auto answer = ask();
    while (!answer && answer.error().code == EAGAIN && Clock::now() < deadline) {
        std::this_thread::sleep_for(pause);
        answer = ask();
    }
    return answer;
}

}  // namespace mosrig
