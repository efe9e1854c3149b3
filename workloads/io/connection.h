// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mosrig::guest {

// A TCP socket that listens on the loopback, at a port that goes into `address`; -1 with errno if
// there can be none.
inline int listen_here(struct sockaddr_in& address) {
    socklen_t length = sizeof address;
    auto* const name = reinterpret_cast<struct sockaddr*>(&address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || (bind(listener, name, length) == 0 &&
                         getsockname(listener, name, &length) == 0 && listen(listener, 1) == 0)) {
        return listener;
    }
    (void)close(listener);
    return -1;
}

// A TCP connection of the process with itself.
struct Connection {
    int client = -1;
    int server = -1;

    // False with errno if there can be none.
    [[nodiscard]] bool open() {
        struct sockaddr_in address = {};
        const int listener = listen_here(address);
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool connected =
            listener >= 0 && client >= 0 &&
            connect(client, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0;
        server = connected ? accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) : -1;
        (void)close(listener);
        return server >= 0;
    }
};

}  // namespace mosrig::guest
