// SPDX-License-Identifier: MIT
//
// One who is not of the cluster: listens to the node daemons' packets on the wire of this node, and
// sends them again, broken, from elsewhere, or sends nonsense. Prints how many it sent.
//
//     stranger replay|forge|elsewhere|garbage|links ADDRESS
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr uint16_t port = 5428;       // datagrams
constexpr uint16_t link_port = 4660;  // connections
constexpr size_t largest = 1500;
constexpr unsigned enough = 40;
constexpr unsigned nonsense = 60;  // no more than a socket holds
constexpr int listen_ms = 5000;
constexpr int status_usage = 2;
// Of no node.
constexpr const char* nobody = "10.66.0.199";

// A datagram with its IP and UDP headers.
struct Packet {
    size_t size = 0;
    unsigned char bytes[largest] = {};

    [[nodiscard]] size_t headers() const {
        return (bytes[0] & 15U) * size_t{4} + sizeof(struct udphdr);
    }
};

Packet heard[enough];

struct sockaddr_in endpoint(struct in_addr to, uint16_t number) {
    struct sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(number);
    address.sin_addr = to;
    return address;
}

bool is_daemons(const Packet& packet) {
    struct udphdr udp = {};
    if (packet.size < sizeof(struct iphdr) || packet.bytes[9] != IPPROTO_UDP ||
        packet.size <= packet.headers()) {
        return false;
    }
    (void)memcpy(&udp, packet.bytes + packet.headers() - sizeof udp, sizeof udp);
    return ntohs(udp.dest) == port;
}

// What goes by on this node. How many packets.
unsigned listen_to_wire() {
    const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
    unsigned count = 0;
    struct pollfd readable = {fd, POLLIN, 0};
    for (int waited = 0; fd >= 0 && count < enough && waited < listen_ms; waited += 10) {
        if (poll(&readable, 1, 10) <= 0) {
            continue;
        }
        Packet& packet = heard[count];
        const ssize_t got = recv(fd, packet.bytes, sizeof packet.bytes, MSG_DONTWAIT);
        packet.size = got > 0 ? static_cast<size_t>(got) : 0;
        count += is_daemons(packet) ? 1 : 0;
    }
    (void)close(fd);
    return count;
}

// The kernel fills in the checksum of IP; none of UDP is asked for with 0.
bool send_raw(int fd, Packet& packet, struct in_addr to) {
    struct sockaddr_in address = endpoint(to, 0);
    (void)memcpy(packet.bytes + 16, &to, sizeof to);
    (void)memset(packet.bytes + packet.headers() - 2, 0, 2);
    return sendto(fd, packet.bytes, packet.size, 0, reinterpret_cast<struct sockaddr*>(&address),
                  sizeof address) == static_cast<ssize_t>(packet.size);
}

unsigned send_heard(const char* how, struct in_addr to) {
    const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    const unsigned count = listen_to_wire();
    unsigned sent = 0;
    for (unsigned at = 0; at < count; ++at) {
        Packet& packet = heard[at];
        // What a node seems to send to itself, its kernel drops.
        if (strcmp(how, "elsewhere") != 0 && memcmp(packet.bytes + 12, &to, sizeof to) == 0) {
            continue;
        }
        if (strcmp(how, "forge") == 0) {
            // Each in another place.
            const size_t body = packet.size - packet.headers();
            packet.bytes[packet.headers() + at * size_t{7} % body] ^= 1U << at % 8U;
        } else if (strcmp(how, "elsewhere") == 0) {
            (void)inet_pton(AF_INET, nobody, packet.bytes + 12);
        }
        sent += send_raw(fd, packet, to) ? 1 : 0;
    }
    (void)close(fd);
    return sent;
}

unsigned send_garbage(struct in_addr to) {
    struct sockaddr_in address = endpoint(to, port);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    unsigned char bytes[1400] = {};
    unsigned sent = 0;
    for (unsigned at = 0; at < nonsense; ++at) {
        const size_t size = at * size_t{31} % sizeof bytes;
        sent += getrandom(bytes, size, 0) == static_cast<ssize_t>(size) &&
                        sendto(fd, bytes, size, 0, reinterpret_cast<struct sockaddr*>(&address),
                               sizeof address) == static_cast<ssize_t>(size)
                    ? 1
                    : 0;
    }
    (void)close(fd);
    return sent;
}

// Connections that say something wrong, half of them nothing at all, and hang up.
unsigned try_links(struct in_addr to) {
    struct sockaddr_in address = endpoint(to, link_port);
    unsigned made = 0;
    for (unsigned at = 0; at < enough; ++at) {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        unsigned char bytes[200] = {};
        if (connect(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0) {
            ++made;
            const bool says = at % 2 == 0 && getrandom(bytes, sizeof bytes, 0) > 0;
            (void)(says && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0);
        }
        (void)close(fd);
    }
    return made;
}

}  // namespace

int main(int argc, char** argv) {
    struct in_addr to = {};
    if (argc != 3 || inet_pton(AF_INET, argv[2], &to) != 1) {
        (void)fprintf(stderr, "usage: %s replay|forge|elsewhere|garbage|links ADDRESS\n", argv[0]);
        return status_usage;
    }
    unsigned sent = 0;
    if (strcmp(argv[1], "garbage") == 0) {
        sent = send_garbage(to);
    } else if (strcmp(argv[1], "links") == 0) {
        sent = try_links(to);
    } else {
        sent = send_heard(argv[1], to);
    }
    (void)printf("%u\n", sent);
    return sent > 0 ? 0 : 1;
}
