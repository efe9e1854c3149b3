// SPDX-License-Identifier: GPL-2.0-only
// One epoll set and what to do when one of its descriptors is ready. Single-threaded.
#pragma once

#include <sys/epoll.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include "common/fd.h"
#include "common/result.h"

namespace mosrig {

class Reactor {
  public:
    using Handler = std::function<void(std::uint32_t events)>;

    Reactor();

    // Calls `handler` on EPOLL* `events` of `fd`, which stays the caller's.
    Result<void> add(int fd, std::uint32_t events, Handler handler);
    void modify(int fd, std::uint32_t events);
    // Must come before the descriptor is closed: a link lives on in the kernel or in a stub.
    void remove(int fd);

    // Waits for at most `longest` and runs the handlers of what is ready.
    void run_once(std::chrono::milliseconds longest);

  private:
    Fd epoll_;
    std::unordered_map<int, std::shared_ptr<Handler>> handlers_;
};

}  // namespace mosrig
