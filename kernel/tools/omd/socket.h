// SPDX-License-Identifier: GPL-2.0-only
// TCP sockets of links: on the fabric's address only, prompt, and dead soon after their peer.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/fd.h"
#include "common/result.h"

namespace mosrig {

inline constexpr std::uint16_t link_port = 4660;

// A silent peer is noticed within this time. The socket's own limits are a little below it.
inline constexpr std::chrono::seconds link_timeout{15};

struct Endpoint {
    std::uint32_t address;  // IPv4, host byte order
    std::uint16_t port;
};

// Listens on one address.
Result<Fd> listen_on(Endpoint where);
// A datagram socket on one address, not blocking.
Result<Fd> bind_datagrams(Endpoint where);
// Joins the group of announcements on the interface that has `address`: what is sent to the
// group can be read from the result.
Result<Fd> join_group(std::uint32_t group, std::uint16_t port, std::uint32_t address);
// Sends one datagram. Whether it went; it may get lost all the same.
bool send_datagram(int fd, Endpoint target, const std::uint8_t* bytes, std::size_t size);
// Address and port that a socket is bound to.
Endpoint local_endpoint(int fd);
// Starts a connection from `source` (port of the system's choice) to `target`.
Result<Fd> start_connect(std::uint32_t source, Endpoint target);
// Result of a connect() that was under way: 0 or an errno.
int connect_error(int fd);
// Takes one connection; not valid if there is none (any more).
Fd accept_one(int listener, std::uint32_t& peer_address);
// No delay, keepalive and a user timeout below link_timeout.
Result<void> tune_link(int fd);

}  // namespace mosrig
