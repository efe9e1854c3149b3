// SPDX-License-Identifier: MIT
#include "harness/fabric/forwarding.h"

#include <algorithm>

namespace mosrig::fabric {

namespace {

constexpr std::size_t address_size = 6;
constexpr std::size_t header_size = 14;
// A guest that invents senders must not fill the host's memory.
constexpr std::size_t max_addresses = 4096;

std::uint64_t address_at(std::string_view frame, std::size_t offset) {
    std::uint64_t address = 0;
    for (std::size_t index = 0; index < address_size; ++index) {
        address = (address << 8) | static_cast<unsigned char>(frame[offset + index]);
    }
    return address;
}

bool is_group(std::uint64_t address) {
    return ((address >> 40) & 1) != 0;
}

}  // namespace

void Forwarding::add_port(PortId port) {
    ports_.push_back(port);
}

void Forwarding::remove_port(PortId port) {
    std::erase(ports_, port);
    std::erase_if(addresses_, [port](const auto& entry) { return entry.second == port; });
}

std::vector<PortId> Forwarding::route(PortId from, std::string_view frame) {
    if (frame.size() < header_size) {
        return {};
    }
    const std::uint64_t target = address_at(frame, 0);
    const std::uint64_t sender = address_at(frame, address_size);
    if (!is_group(sender) && (addresses_.size() < max_addresses || addresses_.contains(sender))) {
        addresses_[sender] = from;
    }
    const auto known = is_group(target) ? addresses_.end() : addresses_.find(target);
    if (known != addresses_.end()) {
        return known->second == from ? std::vector<PortId>{} : std::vector<PortId>{known->second};
    }
    std::vector<PortId> others;
    std::copy_if(ports_.begin(), ports_.end(), std::back_inserter(others),
                 [from](PortId port) { return port != from; });
    return others;
}

}  // namespace mosrig::fabric
