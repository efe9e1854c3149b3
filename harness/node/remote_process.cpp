// SPDX-License-Identifier: MIT
#include "harness/node/remote_process.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "harness/node/agent_client.h"

namespace mosrig {

namespace {

// Takes the first line of `text`; the whole of it if `at_end`.
std::optional<std::string> take_line(std::string& text, bool at_end) {
    const std::size_t newline = text.find('\n');
    if (newline != std::string::npos) {
        std::string line = text.substr(0, newline);
        text.erase(0, newline + 1);
        return line;
    }
    if (at_end && !text.empty()) {
        return std::exchange(text, {});
    }
    return std::nullopt;
}

}  // namespace

RemoteProcess::RemoteProcess(std::shared_ptr<AgentClient> client, std::uint32_t id,
                             std::int64_t pid)
    : client_(std::move(client)), id_(id), pid_(pid) {}

RemoteProcess::RemoteProcess(RemoteProcess&&) noexcept = default;

RemoteProcess& RemoteProcess::operator=(RemoteProcess&& other) noexcept {
    std::swap(client_, other.client_);
    std::swap(id_, other.id_);
    std::swap(pid_, other.pid_);
    return *this;
}

RemoteProcess::~RemoteProcess() {
    if (!client_) {
        return;
    }
    const AgentClient::Job* job = client_->job(id_);
    if (job != nullptr && !job->status) {
        client_->queue(wire::Type::signal, id_, wire::Writer().u32(SIGKILL).payload());
        // A broken connection kills the process as well, by the agent's own doing.
        static_cast<void>(client_->pump(Millis(0)));
    }
    client_->forget(id_);
}

Result<void> RemoteProcess::write(std::string_view data, const Deadline& deadline) {
    AgentClient::Job& job = *client_->job(id_);
    while (!data.empty()) {
        MOSRIG_CHECK(client_->pump_until(deadline,
                                         [&] { return job.credit > 0 || job.status.has_value(); }));
        if (job.status) {
            return client_->with_node(infra_error("the process has ended and reads no more"));
        }
        const std::size_t size = std::min(data.size(), job.credit);
        client_->queue(wire::Type::input, id_, data.substr(0, size));
        job.credit -= size;
        data.remove_prefix(size);
    }
    return client_->flush(deadline);
}

Result<void> RemoteProcess::write_line(std::string_view line, const Deadline& deadline) {
    return write(std::string(line) + "\n", deadline);
}

Result<void> RemoteProcess::close_input(const Deadline& deadline) {
    client_->queue(wire::Type::input_end, id_, {});
    return client_->flush(deadline);
}

Result<std::optional<std::string>> RemoteProcess::read_line(const Deadline& deadline) {
    AgentClient::Job& job = *client_->job(id_);
    std::optional<std::string> line;
    MOSRIG_CHECK(client_->pump_until(deadline, [&] {
        line = take_line(job.out, job.status.has_value());
        return line.has_value() || job.status.has_value();
    }));
    return line;
}

Result<std::string> RemoteProcess::take_output() {
    MOSRIG_CHECK(client_->pump(Millis(0)));
    return std::exchange(client_->job(id_)->out, {});
}

Result<std::string> RemoteProcess::take_error_output() {
    MOSRIG_CHECK(client_->pump(Millis(0)));
    return std::exchange(client_->job(id_)->err, {});
}

Result<void> RemoteProcess::wait_activity(const Deadline& deadline) {
    if (deadline.expired()) {
        return client_->with_node(deadline.error());
    }
    MOSRIG_CHECK(client_->pump(deadline.remaining()));
    return {};
}

Result<int> RemoteProcess::wait(const Deadline& deadline) {
    const AgentClient::Job& job = *client_->job(id_);
    MOSRIG_CHECK(client_->pump_until(deadline, [&] { return job.status.has_value(); }));
    return job.status.value_or(-1);
}

Result<std::optional<int>> RemoteProcess::poll_status() {
    const AgentClient::Job& job = *client_->job(id_);
    if (!job.status) {
        MOSRIG_CHECK(client_->pump(Millis(0)));
    }
    return job.status;
}

Result<void> RemoteProcess::kill(int signal, const Deadline& deadline) {
    client_->queue(wire::Type::signal, id_,
                   wire::Writer().u32(static_cast<std::uint32_t>(signal)).payload());
    return client_->flush(deadline);
}

}  // namespace mosrig
