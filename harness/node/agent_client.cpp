// SPDX-License-Identifier: MIT
#include "harness/node/agent_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace mosrig {

AgentClient::AgentClient(std::unique_ptr<Transport> transport, std::string node)
    : transport_(std::move(transport)), node_(std::move(node)) {}

Result<std::shared_ptr<AgentClient>> AgentClient::open(std::unique_ptr<Transport> transport,
                                                       std::string node, const Deadline& deadline) {
    std::shared_ptr<AgentClient> client(new AgentClient(std::move(transport), std::move(node)));
    MOSRIG_CHECK(client->pump_until(deadline, [&] { return client->peer_version_ != 0; }));
    if (client->peer_version_ != wire::version) {
        return client->with_node(
            infra_error(fmt::format("its mosrig-run speaks version {}, this mosrig version {}",
                                    client->peer_version_, wire::version),
                        "run `mosrig down` and `mosrig up`"));
    }
    return client;
}

tl::unexpected<Error> AgentClient::with_node(tl::unexpected<Error> error) const {
    error.value().node = node_;
    return error;
}

tl::unexpected<Error> AgentClient::broken(Error error) {
    error.node = node_;
    broken_ = error;
    return tl::unexpected(std::move(error));
}

AgentClient::Job* AgentClient::job(std::uint32_t id) {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : &found->second;
}

void AgentClient::queue(wire::Type type, std::uint32_t id, std::string_view payload) {
    wire::append_frame(outgoing_, type, id, payload);
}

std::uint32_t AgentClient::request(wire::Type type, std::string_view payload) {
    const std::uint32_t id = next_id_++;
    queue(type, id, payload);
    return id;
}

Result<AgentClient::Reply> AgentClient::await_reply(std::uint32_t id, const Deadline& deadline) {
    MOSRIG_CHECK(pump_until(deadline, [&] { return replies_.contains(id); }));
    return std::move(replies_.extract(id).mapped());
}

Result<AgentClient::Started> AgentClient::start(const std::vector<std::string>& argv,
                                                const StartOptions& options,
                                                const Deadline& deadline) {
    if (argv.empty()) {
        return usage_error("an empty command cannot be run");
    }
    const std::uint32_t id = next_id_++;
    jobs_[id];
    queue(wire::Type::start, id,
          wire::Writer()
              .strings(argv)
              .string(options.directory)
              .strings(options.environment)
              .u32(static_cast<std::uint32_t>(options.user))
              .payload());
    const Result<void> answered = pump_until(deadline, [&] { return jobs_[id].pid.has_value(); });
    const Job& job = jobs_[id];
    if (!answered || job.start_errno != 0) {
        Error error =
            answered
                ? Error{ErrorKind::remote,
                        fmt::format("cannot start {}: {}", argv[0], std::strerror(job.start_errno)),
                        {},
                        node_,
                        job.start_errno}
                : answered.error();
        jobs_.erase(id);
        return tl::unexpected(std::move(error));
    }
    return Started{id, *job.pid};
}

// True if anything was sent.
Result<bool> AgentClient::send_queued() {
    std::size_t at = 0;
    while (at < outgoing_.size()) {
        auto sent = transport_->write_some(std::string_view(outgoing_).substr(at));
        if (!sent) {
            return broken(std::move(sent).error());
        }
        if (*sent == 0) {
            break;
        }
        at += *sent;
    }
    outgoing_.erase(0, at);
    return at > 0;
}

// True if anything arrived.
Result<bool> AgentClient::receive() {
    std::string bytes;
    Result<bool> got = false;
    do {
        got = transport_->read_some(bytes);
    } while (got && *got && bytes.size() < wire::max_payload);
    incoming_.add(bytes);
    wire::Frame frame;
    while (incoming_.next(frame)) {
        handle(frame);
    }
    if (incoming_.broken()) {
        return broken(Error{ErrorKind::infra, "the agent sent nonsense", {}, {}, 0});
    }
    // What arrived before the end still counts; the end is told at the next call.
    if (!got && bytes.empty()) {
        return broken(std::move(got).error());
    }
    return !bytes.empty();
}

Result<bool> AgentClient::pump(Millis wait) {
    if (broken_) {
        return tl::unexpected(*broken_);
    }
    auto turn = [this]() -> Result<bool> {
        MOSRIG_TRY(const bool arrived, receive());
        // What came in may be room for what waits to be sent.
        MOSRIG_TRY(const bool sent, send_queued());
        return arrived || sent;
    };
    MOSRIG_TRY(const bool sent, send_queued());
    MOSRIG_TRY(const bool moved, turn());
    if (moved || sent) {
        return true;
    }
    transport_->await_ready(!outgoing_.empty(), wait);
    return turn();
}

Result<void> AgentClient::flush(const Deadline& deadline) {
    for (;;) {
        if (broken_) {
            return tl::unexpected(*broken_);
        }
        MOSRIG_CHECK(send_queued());
        if (outgoing_.empty()) {
            return {};
        }
        if (deadline.expired()) {
            return with_node(deadline.error());
        }
        MOSRIG_CHECK(pump(deadline.remaining()));
    }
}

void AgentClient::handle(const wire::Frame& frame) {
    wire::Reader reader(frame.payload);
    if (frame.type == wire::Type::hello) {
        peer_version_ = reader.u32();
        return;
    }
    if (frame.type == wire::Type::reply) {
        Reply reply;
        reply.error = static_cast<int>(reader.u32());
        reply.data = reader.string();
        replies_[frame.id] = std::move(reply);
        return;
    }
    Job* found = job(frame.id);
    if (found == nullptr) {
        return;
    }
    switch (frame.type) {
        case wire::Type::started:
            found->pid = static_cast<std::int64_t>(reader.u64());
            found->start_errno = static_cast<int>(reader.u32());
            break;
        case wire::Type::output:
            found->out += frame.payload;
            break;
        case wire::Type::error:
            found->err += frame.payload;
            break;
        case wire::Type::credit:
            found->credit += reader.u32();
            break;
        case wire::Type::exited:
            found->status = static_cast<int>(reader.u32());
            break;
        default:
            break;
    }
}

}  // namespace mosrig
