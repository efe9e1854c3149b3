// SPDX-License-Identifier: MIT
#include "harness/node/passthrough.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace mosrig {

namespace {

constexpr std::size_t chunk = 64U << 10;

// Blocks until all is written, which holds the node's side back in its turn.
Result<void> write_out(int fd, std::string& text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const ssize_t put = ::write(fd, text.data() + at, text.size() - at);
        if (put < 0 && errno == EAGAIN) {
            pollfd wait{fd, POLLOUT, 0};
            ::poll(&wait, 1, -1);
        } else if (put < 0 && errno != EINTR) {
            return errno_error("cannot write the command's output", errno);
        } else if (put > 0) {
            at += static_cast<std::size_t>(put);
        }
    }
    text.clear();
    return {};
}

}  // namespace

Result<int> pass_through(AgentClient& client, std::uint32_t id, const Streams& streams) {
    bool input_open = true;
    std::array<char, chunk> buffer{};
    for (;;) {
        MOSRIG_TRY(const bool moved, client.pump(Millis(0)));
        AgentClient::Job& job = *client.job(id);
        MOSRIG_CHECK(write_out(streams.out, job.out));
        MOSRIG_CHECK(write_out(streams.err, job.err));
        if (job.status) {
            const int status = *job.status;
            client.forget(id);
            return status;
        }
        const int limit = moved ? 0 : static_cast<int>(client.poll_limit().count());
        std::array<pollfd, 2> fds{{{client.poll_fd(), client.poll_events(), 0},
                                   {input_open && job.credit > 0 ? streams.in : -1, POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), limit) < 0 && errno != EINTR) {
            return errno_error("poll", errno);
        }
        if (fds[1].revents == 0) {
            continue;
        }
        const ssize_t got = ::read(streams.in, buffer.data(), std::min(buffer.size(), job.credit));
        if (got > 0) {
            client.queue(wire::Type::input, id, {buffer.data(), static_cast<std::size_t>(got)});
            job.credit -= static_cast<std::size_t>(got);
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            // A standard input that cannot be read is as good as an ended one.
            client.queue(wire::Type::input_end, id, {});
            input_open = false;
        }
    }
}

Result<void> receive_file(RemoteProcess& process, int fd, std::uint64_t size,
                          const Deadline& deadline) {
    std::uint64_t received = 0;
    std::optional<int> status;
    do {
        MOSRIG_TRY(status, process.poll_status());
        MOSRIG_TRY(std::string data, process.take_output());
        received += data.size();
        if (data.empty() && !status) {
            MOSRIG_CHECK(process.wait_activity(deadline));
        }
        MOSRIG_CHECK(write_out(fd, data));
    } while (!status);
    if (*status != 0 || received != size) {
        return infra_error(
            fmt::format("the copy broke off: {} of {} bytes, status {}", received, size, *status));
    }
    return {};
}

}  // namespace mosrig
