// SPDX-License-Identifier: MIT
// The cluster's network: an Ethernet switch whose ports are QEMU's stream sockets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>

#include "harness/base/fd.h"
#include "harness/base/result.h"
#include "harness/fabric/control.h"
#include "harness/fabric/forwarding.h"
#include "harness/fabric/frame_stream.h"
#include "harness/fabric/impairment.h"

namespace mosrig::fabric {

// A unix stream socket that listens at `path` with mode 0600. An old socket there is replaced.
Result<Fd> listen_at(const std::filesystem::path& path);

class Switch {
  public:
    // Accepts ports on `listener`, and is told of impairments on `control`, if there is one.
    static Result<std::unique_ptr<Switch>> create(Fd listener, Fd control = {});

    // Waits up to `timeout_ms` (-1: for ever) for something to do and does it.
    Result<void> turn(int timeout_ms);
    // Turns until `stop` becomes readable.
    Result<void> run(int stop);

    [[nodiscard]] std::size_t port_count() const { return ports_.size(); }
    [[nodiscard]] const SwitchCounters& counters() const { return counters_; }

  private:
    struct Port {
        Fd socket;
        FrameReader reader;
        FrameQueue queue;
        bool waiting = false;  // asked to be told when there is room
    };

    Switch(Fd listener, Fd control, Fd events);
    void accept_ports();
    void receive(PortId id);
    void deliver(PortId from, std::string_view frame);
    void hand_over(PortId target, std::string_view frame);
    void answer();
    void flush(PortId id);
    void close_port(PortId id);
    Result<void> watch(int fd, std::uint32_t events, int operation);

    Fd listener_;
    Fd control_;
    Fd events_;
    Impairment impairment_;
    Loss loss_;
    DelayLine on_their_way_;
    Forwarding forwarding_;
    std::map<PortId, Port> ports_;  // by descriptor
    SwitchCounters counters_;
};

}  // namespace mosrig::fabric
