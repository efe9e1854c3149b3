// SPDX-License-Identifier: MIT
// Where a frame goes: the switch's table of addresses. No sockets here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mosrig::fabric {

using PortId = int;

class Forwarding {
  public:
    void add_port(PortId port);
    // Forgets the port and all addresses behind it.
    void remove_port(PortId port);

    // Learns the sender of a frame that came in at `from` and gives the ports it has to leave by:
    // one for a known address, all others for an unknown or a group address, none if it is too
    // short to be Ethernet or its target is behind `from` itself.
    std::vector<PortId> route(PortId from, std::string_view frame);

  private:
    std::vector<PortId> ports_;
    std::unordered_map<std::uint64_t, PortId> addresses_;
};

}  // namespace mosrig::fabric
