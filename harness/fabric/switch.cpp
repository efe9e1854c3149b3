// SPDX-License-Identifier: MIT
#include "harness/fabric/switch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "harness/fabric/unix_socket.h"

namespace mosrig::fabric {

namespace {

// What a port may hold back: some milliseconds of traffic, so that a stopped node costs frames and
// not memory.
constexpr std::size_t queue_bytes = 2U << 20;
constexpr std::size_t receive_size = 256U << 10;
// What a network with a long delay holds: that of a tenth of a second at 160 MB/s.
constexpr std::size_t delayed_bytes = 16U << 20;
// Reads in a row from one port before the others have their turn.
constexpr int receive_rounds = 4;

}  // namespace

Result<Fd> listen_at(const std::filesystem::path& path) {
    MOSRIG_TRY(Fd fd, bind_unix(SOCK_STREAM, path));
    if (::listen(fd.get(), SOMAXCONN) != 0) {
        return errno_error(fmt::format("cannot listen at {}", path.string()), errno);
    }
    return fd;
}

Switch::Switch(Fd listener, Fd control, Fd events)
    : listener_(std::move(listener)),
      control_(std::move(control)),
      events_(std::move(events)),
      on_their_way_(delayed_bytes) {}

Result<std::unique_ptr<Switch>> Switch::create(Fd listener, Fd control) {
    Fd events(::epoll_create1(EPOLL_CLOEXEC));
    if (!events) {
        return errno_error("cannot create an epoll", errno);
    }
    std::unique_ptr<Switch> created(
        new Switch(std::move(listener), std::move(control), std::move(events)));
    for (const Fd* const fd : {&created->listener_, &created->control_}) {
        if (fd->valid()) {
            MOSRIG_CHECK(created->watch(fd->get(), EPOLLIN, EPOLL_CTL_ADD));
        }
    }
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
        if (fd == control_.get()) {
            answer();
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
    while (const std::optional<DelayLine::Frame> frame = on_their_way_.pop(Clock::now())) {
        hand_over(frame->target, frame->bytes);
    }
    return {};
}

Result<void> Switch::run(int stop) {
    MOSRIG_CHECK(watch(stop, EPOLLIN, EPOLL_CTL_ADD));
    for (;;) {
        std::array<pollfd, 2> fds{{{stop, POLLIN, 0}, {events_.get(), POLLIN, 0}}};
        const int timeout = on_their_way_.timeout_ms(Clock::now());
        if (::poll(fds.data(), fds.size(), timeout) > 0 && fds[0].revents != 0) {
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
        if (loss_.hits(impairment_.loss_permille)) {
            ++counters_.lost;
        } else if (impairment_.delay == Millis(0)) {
            hand_over(target, frame);
        } else if (!on_their_way_.push(Clock::now() + impairment_.delay, target, frame)) {
            ++counters_.dropped;
        }
    }
}

void Switch::hand_over(PortId target, std::string_view frame) {
    Port& port = ports_.at(target);
    if (!port.queue.push(frame)) {
        ++counters_.dropped;
    } else if (!port.waiting) {
        flush(target);
    }
}

void Switch::answer() {
    answer_control(control_, [this](const std::optional<Impairment>& order) {
        impairment_ = order.value_or(impairment_);
        return SwitchState{impairment_, counters_};
    });
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
    on_their_way_.forget(id);
    ports_.erase(id);
}

}  // namespace mosrig::fabric
