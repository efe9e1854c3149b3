// SPDX-License-Identifier: MIT
// The rig's side of the connection to one node: speaks the frames of wire.h over a transport.
// Everything below RemoteProcess and Node; not for use by tests of the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/node/remote_process.h"
#include "harness/node/transport.h"
#include "harness/node/wire.h"

namespace mosrig {

class AgentClient {
  public:
    // `node` is the name put into errors. Waits for the agent's greeting.
    static Result<std::shared_ptr<AgentClient>> open(std::unique_ptr<Transport> transport,
                                                     std::string node, const Deadline& deadline);

    // What is known of a process that was started.
    struct Job {
        std::string out;
        std::string err;
        std::size_t credit = wire::input_window;  // bytes of input that may still be sent
        std::optional<std::int64_t> pid;
        int start_errno = 0;
        std::optional<int> status;
    };

    struct Reply {
        int error = 0;
        std::string data;
    };

    struct Started {
        std::uint32_t id = 0;
        std::int64_t pid = 0;
    };

    Result<Started> start(const std::vector<std::string>& argv, const StartOptions& options,
                          const Deadline& deadline);
    // The job of a process, nullptr once it was forgotten.
    Job* job(std::uint32_t id);
    void forget(std::uint32_t id) { jobs_.erase(id); }

    // Queues a frame; it leaves at the next pump.
    void queue(wire::Type type, std::uint32_t id, std::string_view payload);
    // Queues a request that is answered by a reply.
    std::uint32_t request(wire::Type type, std::string_view payload);
    Result<Reply> await_reply(std::uint32_t id, const Deadline& deadline);

    // Sends what is queued, then takes in what has arrived, waiting up to `wait` for something to
    // happen. True if anything was sent or came in. An error once the connection has broken: every
    // later call gives it again.
    Result<bool> pump(Millis wait);
    // As of the transport, for what there is to send.
    [[nodiscard]] Millis poll_limit() { return transport_->poll_limit(!outgoing_.empty()); }
    // Pumps until `done` or the deadline.
    template <class Condition>
    Result<void> pump_until(const Deadline& deadline, const Condition& done) {
        while (!done()) {
            if (deadline.expired()) {
                return with_node(deadline.error());
            }
            MOSRIG_CHECK(pump(deadline.remaining()));
        }
        return {};
    }
    // Sends all that is queued.
    Result<void> flush(const Deadline& deadline);

    [[nodiscard]] int poll_fd() const { return transport_->poll_fd(); }
    [[nodiscard]] short poll_events() const { return transport_->poll_events(!outgoing_.empty()); }
    // The error with this node's name.
    [[nodiscard]] tl::unexpected<Error> with_node(tl::unexpected<Error> error) const;

  private:
    AgentClient(std::unique_ptr<Transport> transport, std::string node);
    Result<bool> send_queued();
    Result<bool> receive();
    void handle(const wire::Frame& frame);
    tl::unexpected<Error> broken(Error error);

    std::unique_ptr<Transport> transport_;
    std::string node_;
    std::uint32_t next_id_ = 1;
    std::uint32_t peer_version_ = 0;
    std::string outgoing_;
    wire::Splitter incoming_;
    std::map<std::uint32_t, Job> jobs_;
    std::map<std::uint32_t, Reply> replies_;
    std::optional<Error> broken_;
};

}  // namespace mosrig
