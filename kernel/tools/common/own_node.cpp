// SPDX-License-Identifier: GPL-2.0-only
#include "common/own_node.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <algorithm>
#include <memory>

namespace mosrig {

bool is_local_address(std::uint32_t address) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return false;
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) {
            continue;
        }
        const auto* ip = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
        if (ntohl(ip->sin_addr.s_addr) == address) {
            return true;
        }
    }
    return false;
}

std::optional<MapNode> own_node(const std::vector<MapNode>& nodes) {
    const auto found = std::find_if(nodes.begin(), nodes.end(), [](const MapNode& node) {
        return is_local_address(node.address);
    });
    return found != nodes.end() ? std::optional(*found) : std::nullopt;
}

}  // namespace mosrig
