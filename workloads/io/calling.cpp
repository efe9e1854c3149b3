// SPDX-License-Identifier: MIT
//
// Whoever calls somebody on another node has home's address there, wherever it runs: over a TCP
// connection that it keeps, over one that it makes anew each time, and with datagrams. Who is
// called is `io served` on node2, which says whom it sees; when that hangs up, there is nobody to
// call.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::reads;

class Calling final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    ~Calling() override { (void)unlink(count_path); }

    // Nobody may be there yet, but home's own address on the way there is known.
    const char* hold() override {
        struct sockaddr_in mine = {};
        socklen_t length = sizeof mine;
        there_.sin_family = AF_INET;
        there_.sin_port = htons(port);
        datagrams_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (inet_pton(AF_INET, node2, &there_.sin_addr) != 1 ||
            connect(datagrams_, as_address(there_), sizeof there_) != 0 ||
            getsockname(datagrams_, as_address(mine), &length) != 0) {
            return failed("the way to node2");
        }
        (void)inet_ntop(AF_INET, &mine.sin_addr, home_, sizeof home_);
        count_file_ = open(count_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
        return count_file_ < 0 ? failed("a file for the count") : tell_count();
    }

  protected:
    const char* step() override {
        if (hung_up_) {
            return nullptr;
        }
        if (kept_ < 0) {
            kept_ = dial();
            return kept_ < 0 && errno != ECONNREFUSED ? failed("connect") : nullptr;
        }
        const char* const wrong = call_all();
        if (wrong != nullptr && has_hung_up()) {
            hung_up_ = true;
            return nullptr;
        }
        return wrong;
    }

    const char* check() override { return calls_ == 0 ? "nobody was there to call" : nullptr; }

  private:
    // As `io served` has it; the number of calls is for who waits for more of them.
    static constexpr uint16_t port = 4711;
    static constexpr const char* node2 = "10.66.0.2";
    static constexpr const char* count_path = "/tmp/mosrig-calls";
    // How long an answer may take, and how often a datagram is sent meanwhile.
    static constexpr int patience_for_answer = 20000;
    static constexpr int tries = 10;

    static struct sockaddr* as_address(struct sockaddr_in& address) {
        return reinterpret_cast<struct sockaddr*>(&address);
    }
    // A new connection; -1 with errno.
    int dial() {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, as_address(there_), sizeof there_) == 0) {
            return fd;
        }
        const int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }

    const char* call_all() {
        const char* wrong = ask(kept_, 1);
        wrong = wrong != nullptr ? wrong : ask_anew();
        wrong = wrong != nullptr ? wrong : ask(datagrams_, tries);
        ++calls_;
        return wrong != nullptr ? wrong : tell_count();
    }
    const char* ask_anew() {
        const int fd = dial();
        const char* const wrong = fd < 0 ? failed("a new connection") : ask(fd, 1);
        (void)close(fd);
        return wrong;
    }
    // A line and its answer, which is short enough to come in one piece. An answer to an earlier
    // line may come late if that was sent more than once.
    const char* ask(int fd, int times) {
        char line[64];
        char wanted[sizeof line + sizeof home_];
        char seen[sizeof wanted + 1] = "nothing";
        const int length = snprintf(line, sizeof line, "line %u\n", ++line_);
        (void)snprintf(wanted, sizeof wanted, "%s %s", home_, line);
        for (int turn = 0; turn < times; ++turn) {
            if (send(fd, line, static_cast<size_t>(length), MSG_NOSIGNAL) != length) {
                return failed("send to node2");
            }
            for (struct pollfd answer = {fd, POLLIN, 0};
                 poll(&answer, 1, patience_for_answer / times) > 0;) {
                const ssize_t got = recv(fd, seen, sizeof seen - 1, 0);
                if (got <= 0) {
                    return failed("the answer of node2");
                }
                seen[got] = '\0';
                if (strcmp(seen, wanted) == 0) {
                    return nullptr;
                }
                if (times == 1 || strncmp(seen, home_, strlen(home_)) != 0) {
                    return reads("the answer of node2", seen);
                }
            }
        }
        return reads("the last answer of node2", seen);
    }
    // An end of the connection that is kept, which comes a moment after whatever else it ends.
    [[nodiscard]] bool has_hung_up() const {
        struct pollfd end = {kept_, POLLIN, 0};
        char byte = 0;
        return poll(&end, 1, patience_for_answer) > 0 && recv(kept_, &byte, 1, MSG_PEEK) <= 0;
    }
    const char* tell_count() {
        char text[16];
        const int length = snprintf(text, sizeof text, "%u\n", calls_);
        return pwrite(count_file_, text, static_cast<size_t>(length), 0) != length
                   ? failed("the count")
                   : nullptr;
    }

    struct sockaddr_in there_ = {};
    char home_[INET_ADDRSTRLEN] = {};
    int datagrams_ = -1;
    int kept_ = -1;
    int count_file_ = -1;
    unsigned line_ = 0;
    unsigned calls_ = 0;
    bool hung_up_ = false;
};

const mosrig::guest::KindOf<Calling> calling("calling");

}  // namespace
