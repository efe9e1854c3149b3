// SPDX-License-Identifier: GPL-2.0-only
#include "omd/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/map.h"

namespace mosrig {
namespace {

// An idle link: the first probe after 4 s, then one every 2 s; the first probe that is due after
// 13 s without an answer ends it, at 14 s. Unacknowledged data end it after 13 s.
constexpr int keep_idle = 4;
constexpr int keep_interval = 2;
constexpr int keep_count = 5;
constexpr int user_timeout_ms = 13000;
static_assert(keep_idle + keep_interval * keep_count < link_timeout.count());
static_assert(user_timeout_ms < (link_timeout.count() - 1) * 1000);

sockaddr_in to_sockaddr(Endpoint endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(endpoint.address);
    return address;
}

bool set_option(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

bool bind_to(int fd, Endpoint endpoint) {
    const sockaddr_in address = to_sockaddr(endpoint);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

Result<Fd> listen_on(Endpoint where) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    // Links of an earlier omd still use the port.
    if (!fd.valid() || !set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1) ||
        !bind_to(fd.get(), where) || ::listen(fd.get(), 64) != 0) {
        const int code = errno;
        return fail_errno("cannot listen on " + format_address(where.address) + " port " +
                              std::to_string(where.port) +
                              (code == EADDRINUSE ? ", is an omd running already?" : ""),
                          code);
    }
    return fd;
}

Result<Fd> bind_datagrams(Endpoint where) {
    Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid() || !bind_to(fd.get(), where)) {
        return fail_errno("cannot use UDP port " + std::to_string(where.port) + " of " +
                              format_address(where.address),
                          errno);
    }
    // Announcements leave by the fabric's interface and go no further.
    in_addr interface {};
    interface.s_addr = htonl(where.address);
    ::setsockopt(fd.get(), IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface));
    set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_TTL, 1);
    set_option(fd.get(), IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    return fd;
}

Result<Fd> join_group(std::uint32_t group, std::uint16_t port, std::uint32_t address) {
    Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ip_mreqn membership{};
    membership.imr_multiaddr.s_addr = htonl(group);
    membership.imr_address.s_addr = htonl(address);
    if (!fd.valid() || !set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1) ||
        !bind_to(fd.get(), {group, port}) ||
        ::setsockopt(fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof(membership)) !=
            0) {
        return fail_errno("cannot hear announcements at " + format_address(group) + " on " +
                              format_address(address),
                          errno);
    }
    return fd;
}

bool send_datagram(int fd, Endpoint target, const std::uint8_t* bytes, std::size_t size) {
    const sockaddr_in address = to_sockaddr(target);
    return ::sendto(fd, bytes, size, 0, reinterpret_cast<const sockaddr*>(&address),
                    sizeof(address)) == static_cast<ssize_t>(size);
}

Endpoint local_endpoint(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
}

Result<Fd> start_connect(std::uint32_t source, Endpoint target) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid() || !set_option(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) ||
        !bind_to(fd.get(), {source, 0})) {
        return fail_errno("cannot make a socket on " + format_address(source), errno);
    }
    const sockaddr_in address = to_sockaddr(target);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(fd.get(), generic, sizeof(address)) != 0 && errno != EINPROGRESS) {
        return fail_errno("cannot connect", errno);
    }
    return fd;
}

int connect_error(int fd) {
    int code = 0;
    socklen_t size = sizeof(code);
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

Fd accept_one(int listener, std::uint32_t& peer_address) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    Fd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    peer_address = ntohl(address.sin_addr.s_addr);
    return fd;
}

Result<void> tune_link(int fd) {
    if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) ||
        !set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) ||
        !set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, keep_idle) ||
        !set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, keep_interval) ||
        !set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, keep_count) ||
        !set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms)) {
        return fail_errno("cannot set a link's options", errno);
    }
    return {};
}

}  // namespace mosrig
