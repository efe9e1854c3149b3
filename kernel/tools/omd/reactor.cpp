// SPDX-License-Identifier: GPL-2.0-only
#include "omd/reactor.h"

#include <array>
#include <utility>

namespace mosrig {

Reactor::Reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

Result<void> Reactor::add(int fd, std::uint32_t events, Handler handler) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return fail_errno("cannot wait for a descriptor", errno);
    }
    handlers_[fd] = std::make_shared<Handler>(std::move(handler));
    return {};
}

void Reactor::modify(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Reactor::remove(int fd) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    handlers_.erase(fd);
}

void Reactor::run_once(std::chrono::milliseconds longest) {
    std::array<epoll_event, 64> events{};
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), events.size(), static_cast<int>(longest.count()));
    for (int i = 0; i < count; i++) {
        const auto& event = events[static_cast<std::size_t>(i)];
        const auto found = handlers_.find(event.data.fd);
        if (found != handlers_.end()) {
            // A handler may remove itself: keep it alive while it runs.
            const std::shared_ptr<Handler> handler = found->second;
            (*handler)(event.events);
        }
    }
}

}  // namespace mosrig
