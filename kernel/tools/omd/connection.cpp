// SPDX-License-Identifier: GPL-2.0-only
#include "omd/connection.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <utility>

#include "common/result.h"
#include "omd/socket.h"

namespace mosrig {
namespace {

std::string words_for(int code) {
    return errno_name(code) + " (" + strerrordesc_np(code) + ")";
}

}  // namespace

Connection::Connection(Fd fd, Handshake handshake, bool connecting, Instant deadline)
    : fd_(std::move(fd)),
      handshake_(std::move(handshake)),
      connecting_(connecting),
      deadline_(deadline) {}

Connection::Status Connection::advance() {
    if (connecting_) {
        if (const int code = connect_error(fd_.get()); code != 0) {
            return give_up(words_for(code));
        }
        connecting_ = false;
    }
    for (;;) {
        put_bytes(output_, handshake_.take_output());
        if (!send()) {
            return Status::failed;
        }
        if (handshake_.refused()) {
            return give_up(refusal_text(handshake_.refusal()));
        }
        if (!output_.empty()) {
            return Status::under_way;
        }
        if (handshake_.done()) {
            return Status::authenticated;
        }
        const Input input = receive();
        if (input != Input::some) {
            return input == Input::none_yet ? Status::under_way : Status::failed;
        }
    }
}

std::uint32_t Connection::interest() const {
    return connecting_ || !output_.empty() ? EPOLLOUT : EPOLLIN;
}

Fd Connection::take_socket() {
    ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) & ~O_NONBLOCK);
    return std::move(fd_);
}

Connection::Status Connection::give_up(std::string why) {
    error_ = std::move(why);
    return Status::failed;
}

Connection::Input Connection::receive() {
    std::array<std::uint8_t, 512> block{};
    const std::size_t wanted = std::min(handshake_.wanted(), block.size());
    const ssize_t got = ::recv(fd_.get(), block.data(), wanted, 0);
    if (got > 0) {
        handshake_.feed(std::span(block).first(static_cast<std::size_t>(got)));
        return Input::some;
    }
    if (got == 0) {
        error_ = "the peer hung up, which it also does when the keys differ";
        return Input::failed;
    }
    if (errno == EAGAIN || errno == EINTR) {
        return Input::none_yet;
    }
    error_ = words_for(errno);
    return Input::failed;
}

bool Connection::send() {
    while (!output_.empty()) {
        const ssize_t sent = ::send(fd_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            return true;
        }
        if (sent < 0) {
            error_ = words_for(errno);
            return false;
        }
        output_.erase(output_.begin(), output_.begin() + sent);
    }
    return true;
}

}  // namespace mosrig
