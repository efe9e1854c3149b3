// SPDX-License-Identifier: GPL-2.0-only
#include "omd/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <algorithm>
#include <array>
#include <cerrno>

#include "common/omd_client.h"

namespace mosrig {
namespace {

constexpr std::chrono::seconds client_patience{4};
constexpr std::chrono::milliseconds ask_again{50};
// Who asked is still there when the answer is that there is none.
static_assert(client_patience < omd_patience);

}  // namespace

Control::Control(Reactor& reactor, Answer answer) : reactor_(reactor), answer_(std::move(answer)) {}

Control::~Control() {
    for (const Client& client : clients_) {
        reactor_.remove(client.fd.get());
    }
    if (listener_.valid()) {
        reactor_.remove(listener_.get());
        ::unlink(path_.c_str());
    }
}

Result<void> Control::listen(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return fail("the path " + path + " is too long for a socket");
    }
    std::copy(path.begin(), path.end(), std::begin(address.sun_path));
    ::unlink(path.c_str());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid() ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::chmod(path.c_str(), 0666) != 0 || ::listen(fd.get(), 16) != 0) {
        return fail_errno("cannot listen at " + path, errno);
    }
    listener_ = std::move(fd);
    path_ = path;
    return reactor_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { on_listener(); });
}

void Control::on_listener() {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (!fd.valid() || clients_.size() >= most_clients ||
        ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return;
    }
    const int number = fd.get();
    const auto place = clients_.insert(
        clients_.end(), Client{std::move(fd), peer.uid, Clock::now() + client_patience, {}, false});
    auto added = reactor_.add(number, EPOLLIN, [this, place](std::uint32_t) { on_ready(place); });
    if (!added) {
        clients_.erase(place);
    }
}

void Control::on_ready(Place place) {
    std::array<char, longest_line> block{};
    const ssize_t got = ::recv(place->fd.get(), block.data(), block.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0 || place->asked) {
        drop(place);
        return;
    }
    place->line.append(block.data(), static_cast<std::size_t>(got));
    const std::size_t end = place->line.find('\n');
    if (end == std::string::npos) {
        if (place->line.size() >= longest_line) {
            drop(place);
        }
        return;
    }
    place->line.resize(end);
    place->asked = true;
    answer(place, true, false);
}

void Control::answer(Place place, bool first, bool last) {
    auto text = answer_(place->line, place->user, first, last);
    if (!text) {
        return;
    }
    *text += '\n';
    // It fits into the socket's buffer, or the client is not worth waiting for; the buffer of a
    // cluster of thousands is made large enough.
    const int room = static_cast<int>(text->size()) * 2;
    ::setsockopt(place->fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    ::setsockopt(place->fd.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    [[maybe_unused]] const ssize_t sent =
        ::send(place->fd.get(), text->data(), text->size(), MSG_NOSIGNAL);
    drop(place);
}

void Control::drop(Place place) {
    reactor_.remove(place->fd.get());
    clients_.erase(place);
}

void Control::run(Instant now) {
    for (auto place = clients_.begin(); place != clients_.end();) {
        const auto current = place++;
        const bool late = now >= current->deadline;
        if (current->asked) {
            answer(current, false, late);
        } else if (late) {
            drop(current);
        }
    }
}

Instant Control::next() const {
    Instant due = Instant::max();
    for (const Client& client : clients_) {
        due = std::min(due, client.asked ? Clock::now() + ask_again : client.deadline);
    }
    return due;
}

}  // namespace mosrig
