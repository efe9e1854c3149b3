// SPDX-License-Identifier: MIT
//
// A server for whoever comes, on any node, over TCP and UDP: it is at every address of home's, and
// answers each line with the address that it sees of its peer, and the line.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "workloads/lib/kinds.h"
#include "workloads/lib/wrong.h"

namespace {

using mosrig::guest::failed;

class Served final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        struct sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        const int on = 1;
        sockets_[0] = {socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), POLLIN, 0};
        sockets_[1] = {socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), POLLIN, 0};
        count_ = fixed;
        if (sockets_[0].fd < 0 ||
            setsockopt(sockets_[0].fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
            bind(sockets_[0].fd, reinterpret_cast<const struct sockaddr*>(&address),
                 sizeof address) != 0 ||
            listen(sockets_[0].fd, room) != 0 ||
            bind(sockets_[1].fd, reinterpret_cast<const struct sockaddr*>(&address),
                 sizeof address) != 0) {
            return failed("a socket that listens, one for datagrams");
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        while (poll(sockets_, count_, 0) > 0) {
            for (nfds_t at = count_; at-- > fixed;) {
                if (sockets_[at].revents != 0 && !answer(sockets_[at].fd)) {
                    (void)close(sockets_[at].fd);
                    sockets_[at] = sockets_[--count_];
                }
            }
            if (sockets_[0].revents != 0 && count_ < room) {
                const int peer = accept4(sockets_[0].fd, nullptr, nullptr, SOCK_NONBLOCK);
                if (peer < 0 && errno != EAGAIN && errno != ECONNABORTED) {
                    return failed("accept");
                }
                if (peer >= 0) {
                    sockets_[count_++] = {peer, POLLIN, 0};
                }
            }
            if (sockets_[1].revents != 0) {
                answer_datagram(sockets_[1].fd);
            }
        }
        return nullptr;
    }

  private:
    static constexpr uint16_t port = 4711;
    static constexpr nfds_t room = 8;
    // Those that it has without anybody having come.
    static constexpr nfds_t fixed = 2;
    static constexpr size_t longest = 256;

    struct Answer {
        Answer(const struct sockaddr_in& address, const char* line) {
            char host[INET_ADDRSTRLEN] = {};
            (void)inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
            size = static_cast<size_t>(snprintf(text, sizeof text, "%s %s", host, line));
        }
        char text[longest + INET_ADDRSTRLEN + 1];
        size_t size;
    };

    // A line fits into a segment, and nobody sends the next before the answer to the last.
    static bool answer(int peer) {
        char line[longest] = {};
        struct sockaddr_in address = {};
        socklen_t length = sizeof address;
        if (read(peer, line, sizeof line - 1) <= 0 ||
            getpeername(peer, reinterpret_cast<struct sockaddr*>(&address), &length) != 0) {
            return false;
        }
        const Answer said(address, line);
        return send(peer, said.text, said.size, MSG_NOSIGNAL) == static_cast<ssize_t>(said.size);
    }

    // What gets lost on its way is asked for again.
    static void answer_datagram(int socket) {
        char line[longest] = {};
        struct sockaddr_in address = {};
        socklen_t length = sizeof address;
        if (recvfrom(socket, line, sizeof line - 1, 0, reinterpret_cast<struct sockaddr*>(&address),
                     &length) > 0) {
            const Answer said(address, line);
            (void)sendto(socket, said.text, said.size, 0,
                         reinterpret_cast<const struct sockaddr*>(&address), length);
        }
    }

    struct pollfd sockets_[room] = {};
    nfds_t count_ = 0;
};

const mosrig::guest::KindOf<Served> served("served");

}  // namespace
