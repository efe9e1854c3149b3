// SPDX-License-Identifier: MIT
#include "harness/node/local_agent.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "harness/base/fd.h"
#include "harness/base/pointers.h"

namespace mosrig {

namespace {

class SocketTransport : public Transport {
  public:
    // `child` is the program at the other end, reaped here.
    SocketTransport(Fd socket, pid_t child) : socket_(std::move(socket)), child_(child) {}
    SocketTransport(const SocketTransport&) = delete;
    SocketTransport& operator=(const SocketTransport&) = delete;
    SocketTransport(SocketTransport&&) = delete;
    SocketTransport& operator=(SocketTransport&&) = delete;
    ~SocketTransport() override {
        socket_.reset();
        ::waitpid(child_, nullptr, 0);
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

Result<std::unique_ptr<Transport>> start_local_agent(const std::vector<std::string>& argv) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return errno_error("cannot make a socket pair", errno);
    }
    Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    std::vector<std::string> strings = argv;
    const std::vector<char*> arguments = pointers(strings);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(theirs.get(), STDIN_FILENO);
        ::dup2(theirs.get(), STDOUT_FILENO);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    if (child < 0) {
        return errno_error("cannot fork", errno);
    }
    MOSRIG_CHECK(set_nonblocking(ours.get()));
    return std::make_unique<SocketTransport>(std::move(ours), child);
}

}  // namespace mosrig
