// SPDX-License-Identifier: MIT
#include "harness/cluster/progress.h"

#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "harness/deadline/deadline.h"

namespace mosrig {

Progress progress_to_stderr() {
    return [start = Clock::now(), lock = std::make_shared<std::mutex>()](const std::string& line) {
        const std::chrono::duration<double> elapsed = Clock::now() - start;
        const std::lock_guard<std::mutex> held(*lock);
        fmt::print(stderr, "[{:6.1f} s] {}\n", elapsed.count(), line);
    };
}

}  // namespace mosrig
