// SPDX-License-Identifier: MIT
#include "harness/node/guest/agent.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <vector>

#include "harness/node/guest/files.h"

namespace mosrig::guest {

namespace {

// Beyond this many unsent bytes the commands' output waits in their pipes.
constexpr std::size_t outgoing_limit = 256U << 10;
constexpr std::size_t chunk = 64U << 10;
// Time a command gets between SIGTERM and SIGKILL when the rig has gone.
constexpr int grace_ms = 1000;

long long now_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

bool interrupted(int error_number) {
    return error_number == EINTR || error_number == EAGAIN;
}

const std::vector<std::string> plain_environment{
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "USER=root",
    "LOGNAME=root",
    "SHELL=/bin/sh",
};

int shell_status(int raw) {
    return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

}  // namespace

int Agent::serve() {
    send(wire::Type::hello, 0, wire::Writer().u32(wire::version).payload());
    while (connected()) {
        poll_once();
    }
    kill_all();
    return clean_end_ ? 0 : 1;
}

void Agent::poll_once() {
    flush();
    if (!connected()) {
        return;
    }
    std::vector<pollfd> fds;
    fds.push_back({in_, POLLIN, 0});
    // Without POLLOUT too: an error on it is the only sign of a peer that went while we are silent.
    fds.push_back({out_, static_cast<short>(outgoing_.empty() ? 0 : POLLOUT), 0});
    fds.push_back({children_, POLLIN, 0});
    const bool room = outgoing_.size() < outgoing_limit;
    for (auto& [id, job] : jobs_) {
        const bool wanted = room || job.ended;
        fds.push_back({job.pending_input.empty() ? -1 : job.in, POLLOUT, 0});
        fds.push_back({wanted ? job.out : -1, POLLIN, 0});
        fds.push_back({wanted ? job.err : -1, POLLIN, 0});
    }
    if (::poll(fds.data(), fds.size(), -1) < 0) {
        return;
    }
    std::size_t at = 3;
    for (auto& [id, job] : jobs_) {
        if (fds[at].revents != 0) {
            feed(job);
        }
        if (fds[at + 1].revents != 0) {
            forward(job, job.out, wire::Type::output, chunk);
        }
        if (fds[at + 2].revents != 0) {
            forward(job, job.err, wire::Type::error, chunk);
        }
        at += 3;
    }
    if (fds[2].revents != 0) {
        reap();
    }
    if ((fds[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        hear_last_words();
    } else if (connected() && fds[0].revents != 0) {
        receive();
    }
    std::erase_if(jobs_, [](const auto& entry) {
        return entry.second.ended && entry.second.out < 0 && entry.second.err < 0;
    });
}

void Agent::receive() {
    std::array<char, chunk> buffer{};
    const ssize_t got = ::read(in_, buffer.data(), buffer.size());
    if (got < 0 && interrupted(errno)) {
        return;
    }
    if (got <= 0) {
        clean_end_ = got == 0;
        in_ = -1;
        return;
    }
    incoming_.add({buffer.data(), static_cast<std::size_t>(got)});
    wire::Frame frame;
    while (incoming_.next(frame)) {
        handle(frame);
    }
    if (incoming_.broken()) {
        in_ = -1;
    }
}

// The peer reads no more. What it sent before it went, and that it went in good order, still
// counts.
void Agent::hear_last_words() {
    outgoing_.clear();
    pollfd fd{in_, POLLIN, 0};
    while (connected() && ::poll(&fd, 1, 0) > 0) {
        receive();
    }
    in_ = -1;
}

void Agent::flush() {
    while (!outgoing_.empty() && connected()) {
        const ssize_t put = ::write(out_, outgoing_.data(), outgoing_.size());
        if (put < 0 && interrupted(errno)) {
            return;
        }
        if (put < 0) {
            hear_last_words();
            return;
        }
        outgoing_.erase(0, static_cast<std::size_t>(put));
    }
}

void Agent::handle(const wire::Frame& frame) {
    switch (frame.type) {
        case wire::Type::start:
            start(frame);
            return;
        case wire::Type::read_file:
            read_file(frame);
            return;
        case wire::Type::read_all:
            read_all(frame);
            return;
        case wire::Type::write_file:
            write_file(frame);
            return;
        case wire::Type::kill: {
            wire::Reader reader(frame.payload);
            const auto pid = static_cast<pid_t>(reader.u64());
            const auto number = static_cast<int>(reader.u32());
            const bool sane = reader.ok() && pid > 0;
            reply(frame.id, !sane ? EINVAL : ::kill(pid, number) == 0 ? 0 : errno);
            return;
        }
        default:
            break;
    }
    const auto found = jobs_.find(frame.id);
    // A process may end while a frame for it is on its way.
    if (found == jobs_.end() || found->second.ended) {
        return;
    }
    Job& job = found->second;
    switch (frame.type) {
        case wire::Type::input:
            job.pending_input += frame.payload;
            feed(job);
            return;
        case wire::Type::input_end:
            job.input_ended = true;
            feed(job);
            return;
        case wire::Type::signal: {
            wire::Reader reader(frame.payload);
            const auto number = static_cast<int>(reader.u32());
            if (reader.ok()) {
                ::kill(-job.pid, number);
            }
            return;
        }
        default:
            return;
    }
}

void Agent::start(const wire::Frame& frame) {
    wire::Reader reader(frame.payload);
    Command command;
    command.argv = reader.strings();
    command.directory = reader.string();
    command.environment = plain_environment;
    for (std::string& entry : reader.strings()) {
        const std::string name = entry.substr(0, entry.find('=') + 1);
        std::erase_if(command.environment,
                      [&](const std::string& old) { return old.starts_with(name); });
        command.environment.push_back(std::move(entry));
    }
    command.user = reader.u32();
    Job job;
    job.id = frame.id;
    const int error = reader.ok() ? start_job(command, job) : EINVAL;
    send(wire::Type::started, frame.id,
         wire::Writer()
             .u64(static_cast<std::uint64_t>(job.pid))
             .u32(static_cast<std::uint32_t>(error))
             .payload());
    if (error == 0) {
        jobs_.emplace(frame.id, std::move(job));
    }
}

void Agent::read_file(const wire::Frame& frame) {
    std::string data;
    const int error = read_whole(wire::Reader(frame.payload).string(), data);
    reply(frame.id, error, error == 0 ? std::string_view(data) : std::string_view());
}

void Agent::read_all(const wire::Frame& frame) {
    std::string data;
    const int error = read_of_each_process(wire::Reader(frame.payload).string(), data);
    reply(frame.id, error, error == 0 ? std::string_view(data) : std::string_view());
}

void Agent::write_file(const wire::Frame& frame) {
    wire::Reader reader(frame.payload);
    const std::string path = reader.string();
    const std::string data = reader.string();
    const std::uint32_t user = reader.u32();
    reply(frame.id, reader.ok() ? write_whole(path, data, user) : EINVAL);
}

void Agent::reply(std::uint32_t id, int error, std::string_view data) {
    send(wire::Type::reply, id,
         wire::Writer().u32(static_cast<std::uint32_t>(error)).string(data).payload());
}

void Agent::send(wire::Type type, std::uint32_t id, std::string_view payload) {
    wire::append_frame(outgoing_, type, id, payload);
}

void Agent::feed(Job& job) {
    std::size_t taken = 0;
    while (!job.pending_input.empty()) {
        const ssize_t put =
            job.in < 0 ? -1 : ::write(job.in, job.pending_input.data(), job.pending_input.size());
        if (put < 0 && job.in >= 0 && interrupted(errno)) {
            break;
        }
        // A command that closed its input still takes it as far as the rig is concerned.
        const std::size_t size = put < 0 ? job.pending_input.size() : static_cast<std::size_t>(put);
        if (put < 0) {
            close_end(job.in);
        }
        job.pending_input.erase(0, size);
        taken += size;
    }
    if (taken > 0) {
        send(wire::Type::credit, job.id,
             wire::Writer().u32(static_cast<std::uint32_t>(taken)).payload());
    }
    if (job.input_ended && job.pending_input.empty()) {
        close_end(job.in);
    }
}

// Reads once, up to `limit` bytes. What children write after the command's end is discarded.
void Agent::forward(Job& job, int& fd, wire::Type type, std::size_t limit) {
    if (fd < 0) {
        return;
    }
    std::string buffer(limit, '\0');
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && interrupted(errno)) {
        return;
    }
    if (got <= 0) {
        close_end(fd);
    } else if (!job.ended && connected()) {
        send(type, job.id, std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
    }
}

void Agent::reap() {
    std::array<char, 64> wakeups{};
    while (::read(children_, wakeups.data(), wakeups.size()) > 0) {
    }
    int raw = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &raw, WNOHANG)) > 0;) {
        for (auto& [id, job] : jobs_) {
            if (job.pid == pid && !job.ended) {
                finish(job, shell_status(raw));
            }
        }
    }
}

// What the command itself wrote is in the pipes by now; what is in them now is sent, no more, so
// that a child that never stops writing cannot hold back the status.
void Agent::finish(Job& job, int status) {
    for (const auto& [fd, type] :
         {std::pair(&job.out, wire::Type::output), std::pair(&job.err, wire::Type::error)}) {
        int waiting = 0;
        if (*fd >= 0 && ::ioctl(*fd, FIONREAD, &waiting) == 0 && waiting > 0) {
            forward(job, *fd, type, static_cast<std::size_t>(waiting));
        }
    }
    job.ended = true;
    job.pending_input.clear();
    close_end(job.in);
    send(wire::Type::exited, job.id,
         wire::Writer().u32(static_cast<std::uint32_t>(status)).payload());
}

void Agent::kill_all() {
    auto running = [this](int number) {
        bool any = false;
        for (auto& [id, job] : jobs_) {
            if (!job.ended) {
                ::kill(-job.pid, number);
                any = true;
            }
        }
        return any;
    };
    if (!running(SIGTERM)) {
        return;
    }
    const long long end = now_ms() + grace_ms;
    while (running(0) && now_ms() < end) {
        pollfd children{children_, POLLIN, 0};
        if (::poll(&children, 1, static_cast<int>(std::max(1LL, end - now_ms()))) > 0) {
            reap();
        }
    }
    running(SIGKILL);
}

bool Agent::has_held_pipes() const {
    for (const auto& [id, job] : jobs_) {
        if (job.ended && (job.out >= 0 || job.err >= 0)) {
            return true;
        }
    }
    return false;
}

void Agent::drain_held_pipes() {
    for (auto& [id, job] : jobs_) {
        close_end(job.in);
    }
    while (has_held_pipes()) {
        std::vector<pollfd> fds;
        for (auto& [id, job] : jobs_) {
            fds.push_back({job.out, POLLIN, 0});
            fds.push_back({job.err, POLLIN, 0});
        }
        if (::poll(fds.data(), fds.size(), -1) < 0) {
            continue;
        }
        std::size_t at = 0;
        for (auto& [id, job] : jobs_) {
            if (fds[at].revents != 0) {
                forward(job, job.out, wire::Type::output, chunk);
            }
            if (fds[at + 1].revents != 0) {
                forward(job, job.err, wire::Type::error, chunk);
            }
            at += 2;
        }
    }
}

}  // namespace mosrig::guest
