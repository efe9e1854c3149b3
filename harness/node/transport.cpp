// SPDX-License-Identifier: MIT
#include "harness/node/transport.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace mosrig {

namespace {

class SocketTransport : public Transport {
  public:
    // `child` is the program at the other end, reaped here; 0 if it is none of ours.
    SocketTransport(Fd socket, pid_t child) : socket_(std::move(socket)), child_(child) {}
    SocketTransport(const SocketTransport&) = delete;
    SocketTransport& operator=(const SocketTransport&) = delete;
    SocketTransport(SocketTransport&&) = delete;
    SocketTransport& operator=(SocketTransport&&) = delete;
    ~SocketTransport() override {
        socket_.reset();
        if (child_ > 0) {
            ::waitpid(child_, nullptr, 0);
        }
    }

    Result<bool> read_some(std::string& into) override {
        std::array<char, 65536> buffer{};
        const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return false;
        }
        if (got <= 0) {
            return infra_error("the connection has ended");
        }
        into.append(buffer.data(), static_cast<std::size_t>(got));
        return true;
    }

    Result<std::size_t> write_some(std::string_view data) override {
        const ssize_t put = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
        if (put >= 0) {
            return static_cast<std::size_t>(put);
        }
        if (errno == EAGAIN || errno == EINTR) {
            return std::size_t{0};
        }
        return errno_error("the connection has ended", errno);
    }

    [[nodiscard]] int poll_fd() const override { return socket_.get(); }
    [[nodiscard]] short poll_events(bool want_write) const override {
        return static_cast<short>(POLLIN | (want_write ? POLLOUT : 0));
    }

  private:
    Fd socket_;
    pid_t child_;
};

}  // namespace

Millis Transport::poll_limit(bool want_write) {
    if (holds_input()) {
        return Millis(0);
    }
    return want_write ? Millis(50) : Millis(1000 * 60 * 60);
}

void Transport::await_ready(bool want_write, Millis wait) {
    const Deadline deadline("something from the node", std::min(wait, poll_limit(want_write)));
    pollfd fd{poll_fd(), poll_events(want_write), 0};
    ::poll(&fd, 1, deadline.poll_timeout());
}

Result<std::unique_ptr<Transport>> make_socket_transport(Fd socket) {
    MOSRIG_CHECK(set_nonblocking(socket.get()));
    return std::make_unique<SocketTransport>(std::move(socket), 0);
}

Result<std::unique_ptr<Transport>> start_local_agent(const std::vector<std::string>& argv) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return errno_error("cannot make a socket pair", errno);
    }
    Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    std::vector<std::string> strings = argv;
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (std::string& text : strings) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(theirs.get(), STDIN_FILENO);
        ::dup2(theirs.get(), STDOUT_FILENO);
        ::execvp(pointers[0], pointers.data());
        ::_exit(127);
    }
    if (child < 0) {
        return errno_error("cannot fork", errno);
    }
    MOSRIG_CHECK(set_nonblocking(ours.get()));
    return std::make_unique<SocketTransport>(std::move(ours), child);
}

}  // namespace mosrig
