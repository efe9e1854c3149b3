// SPDX-License-Identifier: MIT
//
// Server and client over TCP, UDP and unix sockets. The parent is the server in one kind and the
// client in another; the addresses that each end sees of the other are looked at all the time.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "echo.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::Echo;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

// An address of home's, of the network between the nodes: unlike that of the loopback it is nobody
// else's, so a socket that was made elsewhere could not have it. Asked for the first time at home.
in_addr_t home_address() {
    static const in_addr_t found = [] {
        in_addr_t last = htonl(INADDR_LOOPBACK);
        struct ifaddrs* list = nullptr;
        if (getifaddrs(&list) == 0) {
            for (const struct ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
                if (one->ifa_addr != nullptr && one->ifa_addr->sa_family == AF_INET &&
                    (one->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP) {
                    last =
                        reinterpret_cast<const struct sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr;
                }
            }
            freeifaddrs(list);
        }
        return last;
    }();
    return found;
}

struct sockaddr_in at_home(uint16_t port) {
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = home_address();
    return address;
}

// bind, and which port that gave.
uint16_t bind_any(int fd) {
    struct sockaddr_in address = at_home(0);
    socklen_t length = sizeof address;
    if (bind(fd, reinterpret_cast<const struct sockaddr*>(&address), sizeof address) != 0 ||
        getsockname(fd, reinterpret_cast<struct sockaddr*>(&address), &length) != 0) {
        return 0;
    }
    return ntohs(address.sin_port);
}

bool connect_to(int fd, uint16_t port) {
    const struct sockaddr_in address = at_home(port);
    return connect(fd, reinterpret_cast<const struct sockaddr*>(&address), sizeof address) == 0;
}

// Half of each block by send and recv, half by sendmsg and recvmsg with two vectors.
bool send_message(int fd, const unsigned char* bytes, size_t count) {
    auto* data = const_cast<unsigned char*>(bytes);
    struct iovec parts[2] = {{data, count / 2}, {data + count / 2, count - count / 2}};
    struct msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    return sendmsg(fd, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(count);
}

bool receive_message(int fd, unsigned char* bytes, size_t count) {
    struct iovec parts[2] = {{bytes, count / 2}, {bytes + count / 2, count - count / 2}};
    struct msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    return recvmsg(fd, &message, MSG_WAITALL) == static_cast<ssize_t>(count);
}

class Tcp : public Echo {
  public:
    using Echo::Echo;

  protected:
    const char* prepare() override {
        listener_ = socket(AF_INET, SOCK_STREAM, 0);
        port_ = bind_any(listener_);
        return port_ == 0 || listen(listener_, 4) != 0 ? failed("listen") : nullptr;
    }
    const char* serve_one() {
        connection_ = accept(listener_, nullptr, nullptr);
        return connection_ < 0 ? failed("accept") : nullptr;
    }
    const char* be_client() {
        connection_ = socket(AF_INET, SOCK_STREAM, 0);
        return !connect_to(connection_, port_) ? failed("connect") : nullptr;
    }
    bool send_block(const unsigned char* bytes, size_t count) override {
        const size_t half = count / 2;
        return send(connection_, bytes, half, MSG_NOSIGNAL) == static_cast<ssize_t>(half) &&
               send_message(connection_, bytes + half, count - half);
    }
    bool receive_block(unsigned char* bytes, size_t count) override {
        const size_t half = count / 2;
        return recv(connection_, bytes, half, MSG_WAITALL) == static_cast<ssize_t>(half) &&
               receive_message(connection_, bytes + half, count - half);
    }

    // The server's port is on our side or on the other, and both addresses are home's own.
    const char* look_at_addresses(bool server) {
        struct sockaddr_in mine = {};
        struct sockaddr_in theirs = {};
        socklen_t length = sizeof mine;
        if (getsockname(connection_, reinterpret_cast<struct sockaddr*>(&mine), &length) != 0 ||
            getpeername(connection_, reinterpret_cast<struct sockaddr*>(&theirs), &length) != 0) {
            return failed("the addresses of a connection");
        }
        const uint16_t port = ntohs(server ? mine.sin_port : theirs.sin_port);
        if (port != port_) {
            return differs("the server's port", port, port_);
        }
        if (mine.sin_addr.s_addr != home_address() || theirs.sin_addr.s_addr != home_address()) {
            return "an address is not home's";
        }
        return nullptr;
    }
    [[nodiscard]] int listener() const { return listener_; }
    [[nodiscard]] uint16_t port() const { return port_; }

  private:
    int listener_ = -1;
    int connection_ = -1;
    uint16_t port_ = 0;
};

class TcpServer final : public Tcp {
  public:
    using Tcp::Tcp;

  protected:
    const char* open_parent() override { return serve_one(); }
    const char* open_child() override { return be_client(); }

    // Besides the connection that is kept over all moves, each look takes a new one.
    const char* look() override {
        const int client = socket(AF_INET, SOCK_STREAM, 0);
        if (!connect_to(client, port())) {
            return failed("connect to the server that has moved");
        }
        struct sockaddr_in from = {};
        socklen_t length = sizeof from;
        const int server =
            accept4(listener(), reinterpret_cast<struct sockaddr*>(&from), &length, SOCK_CLOEXEC);
        char letter = 0;
        const bool passed = server >= 0 && send(server, "x", 1, MSG_NOSIGNAL) == 1 &&
                            recv(client, &letter, 1, 0) == 1 && letter == 'x' &&
                            shutdown(server, SHUT_WR) == 0 && recv(client, &letter, 1, 0) == 0;
        const char* wrong = passed ? nullptr : failed("a new connection");
        (void)close(server);
        (void)close(client);
        if (wrong == nullptr && from.sin_addr.s_addr != home_address()) {
            return "the address that accept gives is not home's";
        }
        return wrong != nullptr ? wrong : look_at_addresses(true);
    }
};

class TcpClient final : public Tcp {
  public:
    using Tcp::Tcp;

  protected:
    const char* open_parent() override { return be_client(); }
    const char* open_child() override { return serve_one(); }
    const char* look() override { return look_at_addresses(false); }
};

// Each block is one datagram to the other's port.
class Udp final : public Echo {
  public:
    using Echo::Echo;

  protected:
    const char* prepare() override {
        for (int which = 0; which < 2; ++which) {
            socket_[which] = socket(AF_INET, SOCK_DGRAM, 0);
            port_[which] = bind_any(socket_[which]);
            if (port_[which] == 0) {
                return failed("bind");
            }
        }
        return nullptr;
    }
    [[nodiscard]] size_t largest() const override { return 60000; }
    bool send_block(const unsigned char* bytes, size_t count) override {
        const struct sockaddr_in to = at_home(port_[is_child() ? 0 : 1]);
        return sendto(socket_[is_child() ? 1 : 0], bytes, count, 0,
                      reinterpret_cast<const struct sockaddr*>(&to),
                      sizeof to) == static_cast<ssize_t>(count);
    }
    bool receive_block(unsigned char* bytes, size_t count) override {
        struct sockaddr_in from = {};
        socklen_t length = sizeof from;
        const ssize_t got = recvfrom(socket_[is_child() ? 1 : 0], bytes, count, 0,
                                     reinterpret_cast<struct sockaddr*>(&from), &length);
        errno = got >= 0 ? EADDRNOTAVAIL : errno;
        return got == static_cast<ssize_t>(count) && length == sizeof from &&
               ntohs(from.sin_port) == port_[is_child() ? 0 : 1] &&
               from.sin_addr.s_addr == home_address();
    }

  private:
    int socket_[2] = {};
    uint16_t port_[2] = {};
};

// Two unix sockets, each block a datagram. With names, in the file system's name space or outside
// of it, each sends to the other's and looks at whose it gets; a pair has none.
enum class Named { pair, path, abstract };

template <Named named>
class UnixDatagrams final : public Echo {
  public:
    using Echo::Echo;
    ~UnixDatagrams() override {
        for (const struct sockaddr_un& address : address_) {
            if (address.sun_path[0] != '\0') {
                (void)unlink(address.sun_path);
            }
        }
    }

  protected:
    const char* prepare() override {
        if (named == Named::pair) {
            return socketpair(AF_UNIX, SOCK_DGRAM, 0, socket_) != 0 ? failed("socketpair")
                                                                    : nullptr;
        }
        for (int which = 0; which < 2; ++which) {
            constexpr size_t first = named == Named::abstract ? 1 : 0;
            struct sockaddr_un& address = address_[which];
            address.sun_family = AF_UNIX;
            (void)snprintf(address.sun_path + first, sizeof address.sun_path - first,
                           "/tmp/mosrig-datagrams-%d-%d", getpid(), which);
            socket_[which] = socket(AF_UNIX, SOCK_DGRAM, 0);
            if (bind(socket_[which], reinterpret_cast<const struct sockaddr*>(&address),
                     sizeof address) != 0) {
                return failed("bind");
            }
        }
        return nullptr;
    }
    [[nodiscard]] size_t largest() const override { return 60000; }
    bool send_block(const unsigned char* bytes, size_t count) override {
        const bool alone = named == Named::pair;
        return sendto(mine(), bytes, count, MSG_NOSIGNAL,
                      alone ? nullptr : reinterpret_cast<const struct sockaddr*>(&others()),
                      alone ? 0 : sizeof others()) == static_cast<ssize_t>(count);
    }
    bool receive_block(unsigned char* bytes, size_t count) override {
        struct sockaddr_un from = {};
        socklen_t length = sizeof from;
        const ssize_t got =
            recvfrom(mine(), bytes, count, 0, reinterpret_cast<struct sockaddr*>(&from), &length);
        errno = got >= 0 ? EADDRNOTAVAIL : errno;
        return got == static_cast<ssize_t>(count) && (length == 0) == (named == Named::pair) &&
               memcmp(from.sun_path, others().sun_path, sizeof from.sun_path) == 0;
    }

  private:
    [[nodiscard]] int mine() const { return socket_[is_child() ? 1 : 0]; }
    [[nodiscard]] const struct sockaddr_un& others() const { return address_[is_child() ? 0 : 1]; }

    struct sockaddr_un address_[2] = {};
    int socket_[2] = {};
};

// A server with a name in the file system's name space or outside of it.
template <bool abstract, int type>
class Unix final : public Echo {
  public:
    using Echo::Echo;

  protected:
    const char* prepare() override {
        address_.sun_family = AF_UNIX;
        (void)snprintf(address_.sun_path + (abstract ? 1 : 0), sizeof address_.sun_path - 1,
                       "/tmp/mosrig-socket-%d", getpid());
        listener_ = socket(AF_UNIX, type, 0);
        const bool listens = bind(listener_, reinterpret_cast<const struct sockaddr*>(&address_),
                                  sizeof address_) == 0 &&
                             listen(listener_, 1) == 0;
        return listens ? nullptr : failed("listen");
    }
    const char* open_parent() override {
        connection_ = accept(listener_, nullptr, nullptr);
        if (!abstract) {
            (void)unlink(address_.sun_path);
        }
        return connection_ < 0 ? failed("accept") : nullptr;
    }
    const char* open_child() override {
        connection_ = socket(AF_UNIX, type, 0);
        return connect(connection_, reinterpret_cast<const struct sockaddr*>(&address_),
                       sizeof address_) != 0
                   ? failed("connect")
                   : nullptr;
    }
    [[nodiscard]] size_t largest() const override { return 60000; }
    bool send_block(const unsigned char* bytes, size_t count) override {
        return send_message(connection_, bytes, count);
    }
    bool receive_block(unsigned char* bytes, size_t count) override {
        return receive_message(connection_, bytes, count);
    }
    // Who the other is, as the kernel knows it.
    const char* look() override {
        struct ucred peer = {};
        socklen_t length = sizeof peer;
        if (getsockopt(connection_, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
            return failed("SO_PEERCRED");
        }
        return peer.uid != getuid() ? differs("uid of the peer", peer.uid, getuid()) : nullptr;
    }

  private:
    struct sockaddr_un address_ = {};
    int listener_ = -1;
    int connection_ = -1;
};

const KindOf<TcpServer> tcp_server("tcp-server");
const KindOf<TcpClient> tcp_client("tcp-client");
const KindOf<Udp> udp("udp");
const KindOf<UnixDatagrams<Named::pair>> unix_pair("unix-datagram-pair");
const KindOf<UnixDatagrams<Named::path>> unix_datagrams("unix-datagrams");
const KindOf<UnixDatagrams<Named::abstract>> abstract_datagrams("unix-datagrams-abstract");
const KindOf<Unix<false, SOCK_STREAM>> unix_stream("unix-stream");
const KindOf<Unix<true, SOCK_SEQPACKET>> unix_packets("unix-seqpacket");

}  // namespace
