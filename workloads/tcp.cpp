// SPDX-License-Identifier: MIT
//
// The base measures of the benchmarks: what plain TCP costs between the same two nodes.
//   tcp serve ADDRESS PORT                 says READY, serves until it is killed
//   tcp ping ADDRESS PORT COUNT ASK ANSWER nanoseconds of each of COUNT round trips, one a line
//   tcp blast ADDRESS PORT BYTES           nanoseconds until the other side has read BYTES
// A request carries its own length and that of the answer, so that the server is stateless.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "lib/clock.h"

namespace {

using mosrig::guest::now_ns;

constexpr size_t piece_size = 65536;
char piece[piece_size];

// What stands at the start of each request.
struct Request {
    uint64_t body;    // bytes that follow this header
    uint64_t answer;  // bytes to send back once all have arrived
};

int fail(const char* what) {
    (void)fprintf(stderr, "tcp: %s: %s\n", what, strerror(errno));
    return 1;
}

bool send_bytes(int fd, const void* bytes, size_t count) {
    const auto* at = static_cast<const char*>(bytes);
    while (count > 0) {
        const ssize_t done = send(fd, at, count, MSG_NOSIGNAL);
        if (done <= 0) {
            return false;
        }
        at += done;
        count -= static_cast<size_t>(done);
    }
    return true;
}

bool send_piecewise(int fd, uint64_t count) {
    while (count > 0) {
        const size_t part = std::min<uint64_t>(count, piece_size);
        if (!send_bytes(fd, piece, part)) {
            return false;
        }
        count -= part;
    }
    return true;
}

bool receive(int fd, void* bytes, size_t count) {
    return recv(fd, bytes, count, MSG_WAITALL) == static_cast<ssize_t>(count);
}

bool receive_piecewise(int fd, uint64_t count) {
    while (count > 0) {
        const ssize_t got = recv(fd, piece, std::min<uint64_t>(count, piece_size), 0);
        if (got <= 0) {
            return false;
        }
        count -= static_cast<uint64_t>(got);
    }
    return true;
}

bool parse_address(const char* address, const char* port, struct sockaddr_in& place) {
    place = {};
    place.sin_family = AF_INET;
    place.sin_port = htons(static_cast<uint16_t>(strtol(port, nullptr, 10)));
    return inet_pton(AF_INET, address, &place.sin_addr) == 1;
}

void set_no_delay(int fd) {
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void serve_one(int fd) {
    Request request{};
    while (receive(fd, &request, sizeof request) && receive_piecewise(fd, request.body) &&
           send_piecewise(fd, request.answer)) {
    }
}

int serve(const struct sockaddr_in& place) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, reinterpret_cast<const struct sockaddr*>(&place), sizeof place) != 0 ||
        listen(listener, 4) != 0) {
        return fail("cannot listen");
    }
    (void)puts("READY");
    (void)fflush(stdout);
    for (;;) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            return fail("accept");
        }
        set_no_delay(fd);
        serve_one(fd);
        (void)close(fd);
    }
}

int connect_to(const struct sockaddr_in& place) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        connect(fd, reinterpret_cast<const struct sockaddr*>(&place), sizeof place) != 0) {
        (void)close(fd);
        return -1;
    }
    set_no_delay(fd);
    return fd;
}

// One request and its whole answer. The header travels with the first piece, as in one message.
bool exchange(int fd, uint64_t body, uint64_t answer) {
    static char message[sizeof(Request) + piece_size];
    const Request request = {body, answer};
    const size_t first = std::min<uint64_t>(body, piece_size);
    memcpy(message, &request, sizeof request);
    return send_bytes(fd, message, sizeof request + first) && send_piecewise(fd, body - first) &&
           receive_piecewise(fd, answer);
}

int ping(const struct sockaddr_in& place, long count, uint64_t ask, uint64_t answer) {
    const int fd = connect_to(place);
    if (fd < 0) {
        return fail("cannot connect");
    }
    // The header counts: a round trip of 64 bytes has 64 bytes on the wire.
    const uint64_t body = ask > sizeof(Request) ? ask - sizeof(Request) : 0;
    constexpr int warm_up = 3;
    for (long turn = -warm_up; turn < count; ++turn) {
        const int64_t start = now_ns();
        if (!exchange(fd, body, answer)) {
            return fail("connection lost");
        }
        if (turn >= 0) {
            (void)printf("%lld\n", static_cast<long long>(now_ns() - start));
        }
    }
    return 0;
}

int blast(const struct sockaddr_in& place, uint64_t bytes) {
    const int fd = connect_to(place);
    if (fd < 0) {
        return fail("cannot connect");
    }
    const int64_t start = now_ns();
    if (!exchange(fd, bytes, 1)) {
        return fail("connection lost");
    }
    (void)printf("%lld\n", static_cast<long long>(now_ns() - start));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    struct sockaddr_in place {};
    if (argc >= 4 && parse_address(argv[2], argv[3], place)) {
        if (strcmp(argv[1], "serve") == 0) {
            return serve(place);
        }
        if (strcmp(argv[1], "ping") == 0 && argc == 7) {
            return ping(place, strtol(argv[4], nullptr, 10), strtoull(argv[5], nullptr, 10),
                        strtoull(argv[6], nullptr, 10));
        }
        if (strcmp(argv[1], "blast") == 0 && argc == 5) {
            return blast(place, strtoull(argv[4], nullptr, 10));
        }
    }
    (void)fprintf(stderr, "usage: tcp serve|ping|blast ADDRESS PORT ...\n");
    return 2;
}
