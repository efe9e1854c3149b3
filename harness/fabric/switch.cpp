// SPDX-License-Identifier: MIT
#include "harness/fabric/switch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace mosrig::fabric {

namespace {

// What a port may hold back: some milliseconds of traffic, so that a stopped node costs frames and
// not memory.
constexpr std::size_t queue_bytes = 2U << 20;
constexpr std::size_t receive_size = 256U << 10;
// Reads in a row from one port before the others have their turn.
constexpr int receive_rounds = 4;

}  // namespace

Result<Fd> listen_at(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof(address.sun_path)) {
        return usage_error(fmt::format("{} is too long for a socket", text),
                           "set XDG_RUNTIME_DIR to a shorter path");
    }
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::unlink(text.c_str());
    // Nobody else may connect, not even between bind and a chmod.
    const mode_t old = ::umask(0177);
    const bool bound =
        fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    const int error = errno;
    ::umask(old);
    if (!bound || ::listen(fd.get(), SOMAXCONN) != 0) {
        return errno_error(fmt::format("cannot listen at {}", text), bound ? errno : error);
    }
    return fd;
}

Switch::Switch(Fd listener, Fd events, std::unique_ptr<LinkPolicy> policy)
    : listener_(std::move(listener)), events_(std::move(events)), policy_(std::move(policy)) {
    if (!policy_) {
        policy_ = std::make_unique<LinkPolicy>();
    }
}

Result<std::unique_ptr<Switch>> Switch::create(Fd listener, std::unique_ptr<LinkPolicy> policy) {
    Fd events(::epoll_create1(EPOLL_CLOEXEC));
    if (!events) {
        return errno_error("cannot create an epoll", errno);
    }
    std::unique_ptr<Switch> created(
        new Switch(std::move(listener), std::move(events), std::move(policy)));
    MOSRIG_CHECK(created->watch(created->listener_.get(), EPOLLIN, EPOLL_CTL_ADD));
    return created;
}

Result<void> Switch::watch(int fd, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(events_.get(), operation, fd, &event) != 0) {
        return errno_error("cannot watch a descriptor", errno);
    }
    return {};
}

Result<void> Switch::turn(int timeout_ms) {
    std::array<epoll_event, 64> ready{};
    const int count =
        ::epoll_wait(events_.get(), ready.data(), static_cast<int>(ready.size()), timeout_ms);
    if (count < 0 && errno != EINTR) {
        return errno_error("epoll_wait", errno);
    }
    for (int index = 0; index < count; ++index) {
        const int fd = ready[static_cast<std::size_t>(index)].data.fd;
        const std::uint32_t what = ready[static_cast<std::size_t>(index)].events;
        if (fd == listener_.get()) {
            accept_ports();
            continue;
        }
        // An earlier event of this turn may have closed the port.
        if ((what & EPOLLOUT) != 0 && ports_.contains(fd)) {
            flush(fd);
        }
        if ((what & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && ports_.contains(fd)) {
            receive(fd);
        }
    }
    return {};
}

Result<void> Switch::run(int stop) {
    MOSRIG_CHECK(watch(stop, EPOLLIN, EPOLL_CTL_ADD));
    for (;;) {
        std::array<pollfd, 2> fds{{{stop, POLLIN, 0}, {events_.get(), POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), -1) > 0 && fds[0].revents != 0) {
            return {};
        }
        MOSRIG_CHECK(turn(0));
    }
}

void Switch::accept_ports() {
    for (;;) {
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            return;
        }
        // Bulk traffic in few wake-ups; the default holds hardly three frames with offloads.
        const int size = 1 << 20;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        const PortId id = socket.get();
        if (!watch(id, EPOLLIN, EPOLL_CTL_ADD)) {
            continue;
        }
        ports_.emplace(id, Port{std::move(socket), {}, FrameQueue(queue_bytes), false});
        forwarding_.add_port(id);
    }
}

void Switch::receive(PortId id) {
    std::vector<char> buffer(receive_size);
    for (int round = 0; round < receive_rounds; ++round) {
        const ssize_t got = ::recv(id, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0) {
            close_port(id);
            return;
        }
        FrameReader& reader = ports_.at(id).reader;
        reader.add({buffer.data(), static_cast<std::size_t>(got)});
        std::string_view frame;
        while (reader.next(frame)) {
            deliver(id, frame);
        }
        if (reader.broken()) {
            close_port(id);
            return;
        }
        if (static_cast<std::size_t>(got) < buffer.size()) {
            return;
        }
    }
}

void Switch::deliver(PortId from, std::string_view frame) {
    ++counters_.frames;
    for (const PortId target : forwarding_.route(from, frame)) {
        if (!policy_->passes(from, target, frame)) {
            continue;
        }
        Port& port = ports_.at(target);
        if (!port.queue.push(frame)) {
            ++counters_.dropped;
            continue;
        }
        if (!port.waiting) {
            flush(target);
        }
    }
}

// A port that turns out to be dead here is closed when its own event arrives, not under the feet
// of a delivery in progress.
void Switch::flush(PortId id) {
    Port& port = ports_.at(id);
    const bool alive = port.queue.write_to(id);
    const bool want = alive && !port.queue.empty();
    if (want != port.waiting &&
        watch(id, EPOLLIN | (want ? static_cast<std::uint32_t>(EPOLLOUT) : 0U), EPOLL_CTL_MOD)) {
        port.waiting = want;
    }
}

void Switch::close_port(PortId id) {
    forwarding_.remove_port(id);
    ports_.erase(id);
}

}  // namespace mosrig::fabric
