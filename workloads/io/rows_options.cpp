// SPDX-License-Identifier: MIT
//
// Options of sockets: numbers, structures and names, set with as many bytes as there are and told
// into more or less room than they need.
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "connection.h"
#include "rows.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

// Whose option it is, and which.
struct Option {
    int fd;
    int level;
    int name;
};

// What a name is told into by the kernel, the rest being zeros.
constexpr socklen_t longest_name = 16;

class SocketOptions final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    // The peer of a pair is who made it, and of the groups it was in then.
    const char* hold() override {
        gid_t before[64] = {};
        const int count = getgroups(static_cast<int>(std::size(before)), before);
        if (count < 0 || setgroups(std::size(groups), groups) != 0 ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_) != 0 ||
            setgroups(static_cast<size_t>(count), before) != 0) {
            return failed("a pair of sockets that others have made");
        }
        datagrams_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return datagrams_ < 0 || !connection_.open() || pipe2(pipe_, O_CLOEXEC) != 0
                   ? failed("sockets and a pipe")
                   : nullptr;
    }

  protected:
    const char* act() override {
        static constexpr Row<SocketOptions> rows[] = {
            {"numbers", &SocketOptions::numbers},
            {"SO_TYPE", &SocketOptions::lengths},
            {"IP_TTL", &SocketOptions::short_numbers},
            {"SO_LINGER", &SocketOptions::structures},
            {"TCP_CONGESTION", &SocketOptions::names},
            {"SO_BINDTODEVICE", &SocketOptions::device},
            {"TCP_INFO", &SocketOptions::long_ones},
            {"SO_PEERGROUPS", &SocketOptions::peer},
            {"IP_ADD_MEMBERSHIP", &SocketOptions::membership},
            {"SOL_IPV6", &SocketOptions::nothing},
        };
        return judge(*this, rows);
    }

  private:
    static constexpr gid_t groups[3] = {5, 1234, 70000};

    template <class Object>
    static long set(const Option& option, const Object& value, socklen_t length = sizeof(Object)) {
        return call(SYS_setsockopt, option.fd, option.level, option.name,
                    Input(&value, length).at(), length);
    }
    // What is told into so much room, and nothing beside it.
    static void judge_told(Verdict& verdict, const Option& option, socklen_t room,
                           const void* wanted, socklen_t size, int line = __builtin_LINE()) {
        const Output value(std::max(room, socklen_t{1}));
        Output length(sizeof room);
        length.put(room);
        verdict.gives(
            call(SYS_getsockopt, option.fd, option.level, option.name, value.at(), length.at()), 0,
            line);
        verdict.is(length.get<socklen_t>(), size, line);
        verdict.sees(value.holds(wanted, size), line);
        verdict.wrote(value, size, line);
        verdict.wrote(length, sizeof room, line);
    }
    // It is told how much there would be, if anything.
    static void judge_untold(Verdict& verdict, const Option& option, socklen_t room, int error,
                             socklen_t size, int line = __builtin_LINE()) {
        const Output value(64);
        Output length(sizeof room);
        length.put(room);
        verdict.fails(
            call(SYS_getsockopt, option.fd, option.level, option.name, value.at(), length.at()),
            error, line);
        verdict.is(length.get<socklen_t>(), size, line);
        verdict.wrote(value, 0, line);
        verdict.wrote(length, sizeof room, line);
    }
    static int now(const Option& option) {
        int value = -1;
        socklen_t length = sizeof value;
        (void)call(SYS_getsockopt, option.fd, option.level, option.name, &value, &length);
        return value;
    }

    void numbers(Verdict& verdict) {
        const int stream = connection_.client;
        const struct {
            Option option;
            int wanted;
        } all[] = {
            {{stream, SOL_SOCKET, SO_PRIORITY}, 5},  {{stream, SOL_SOCKET, SO_MARK}, 4711},
            {{stream, SOL_SOCKET, SO_KEEPALIVE}, 1}, {{stream, SOL_TCP, TCP_NODELAY}, 1},
            {{stream, SOL_TCP, TCP_KEEPCNT}, 7},     {{stream, SOL_TCP, TCP_USER_TIMEOUT}, 123456},
            {{stream, SOL_IP, IP_RECVTTL}, 1},       {{datagrams_, SOL_IP, IP_MULTICAST_TTL}, 9},
            {{datagrams_, SOL_UDP, UDP_CORK}, 1},
        };
        for (const auto& [option, wanted] : all) {
            const int before = now(option);
            verdict.gives(set(option, wanted), 0);
            judge_told(verdict, option, sizeof wanted, &wanted, sizeof wanted);
            verdict.gives(set(option, before), 0);
            verdict.is(now(option), before);
        }
    }
    // A number is of four bytes, whatever there is room for.
    void lengths(Verdict& verdict) {
        const Option type = {connection_.client, SOL_SOCKET, SO_TYPE};
        const Option marked = {connection_.client, SOL_SOCKET, SO_MARK};
        const int wanted = SOCK_STREAM;
        for (const socklen_t room : {0, 1, 3, 4, 11}) {
            judge_told(verdict, type, room, &wanted, std::min(room, socklen_t{sizeof wanted}));
        }
        judge_untold(verdict, type, static_cast<socklen_t>(-1), EINVAL, static_cast<socklen_t>(-1));
        const int more[3] = {4712, -1, -1};
        verdict.gives(set(marked, more), 0);
        verdict.is(now(marked), 4712);
        verdict.fails(set(marked, more, 3), EINVAL);
        verdict.gives(set(marked, 0), 0);
    }
    // Those of IP fit into one byte, if there is no room for four.
    void short_numbers(Verdict& verdict) {
        const Option ttl = {connection_.client, SOL_IP, IP_TTL};
        const int before = now(ttl);
        const unsigned char wanted[4] = {77, 0, 0, 0};
        verdict.gives(set(ttl, wanted[0]), 0);
        for (const socklen_t room : {1, 3, 4, 9}) {
            judge_told(verdict, ttl, room, wanted, room < 4 ? 1 : 4);
        }
        verdict.fails(set(ttl, 256), EINVAL);
        verdict.gives(set(ttl, before), 0);
    }
    void structures(Verdict& verdict) {
        const Option at_end = {connection_.client, SOL_SOCKET, SO_LINGER};
        const Option in_time = {connection_.client, SOL_SOCKET, SO_RCVTIMEO};
        const struct linger some = {1, 9};
        const struct linger none = {};
        verdict.gives(set(at_end, some), 0);
        judge_told(verdict, at_end, 21, &some, sizeof some);
        judge_told(verdict, at_end, 5, &some, 5);
        verdict.fails(set(at_end, some, 7), EINVAL);
        verdict.gives(set(at_end, none), 0);
        // So many milliseconds are as many ticks of any kernel.
        const struct timeval wait = {5, 240000};
        const struct timeval forever = {};
        const struct timeval wrong = {0, 1000000};
        verdict.gives(set(in_time, wait), 0);
        judge_told(verdict, in_time, sizeof wait, &wait, sizeof wait);
        verdict.fails(set(in_time, wrong), EDOM);
        verdict.gives(set(in_time, forever), 0);
    }

    // Its end is where it says, and not a zero.
    void names(Verdict& verdict) {
        const Option congestion = {connection_.client, SOL_TCP, TCP_CONGESTION};
        const char wanted[longest_name] = "reno";
        char before[longest_name] = {};
        socklen_t length = sizeof before;
        verdict.gives(call(SYS_getsockopt, congestion.fd, SOL_TCP, TCP_CONGESTION, before, &length),
                      0);
        verdict.gives(set(congestion, wanted, 4), 0);
        judge_told(verdict, congestion, 99, wanted, longest_name);
        judge_told(verdict, congestion, 3, wanted, 3);
        verdict.fails(set(congestion, "none such", 9), ENOENT);
        verdict.gives(set(congestion, before), 0);
    }
    void device(Verdict& verdict) {
        const Option bound = {datagrams_, SOL_SOCKET, SO_BINDTODEVICE};
        judge_told(verdict, bound, IFNAMSIZ, "", 0);
        verdict.gives(set(bound, "lo", 2), 0);
        judge_told(verdict, bound, IFNAMSIZ + 5, "lo", 3);
        judge_untold(verdict, bound, IFNAMSIZ - 1, EINVAL, IFNAMSIZ - 1);
        verdict.fails(set(bound, "nowhere", 7), ENODEV);
        verdict.gives(set(bound, "", 1), 0);
        judge_told(verdict, bound, IFNAMSIZ, "", 0);
    }
    // As much as there is room for, and as much as the kernel knows.
    void long_ones(Verdict& verdict) {
        const Option info = {connection_.client, SOL_TCP, TCP_INFO};
        const Option memory = {connection_.client, SOL_SOCKET, SO_MEMINFO};
        const Output value(1024);
        Output length(sizeof(socklen_t));
        length.put(socklen_t{1024});
        verdict.gives(call(SYS_getsockopt, info.fd, SOL_TCP, TCP_INFO, value.at(), length.at()), 0);
        const auto size = length.get<socklen_t>();
        verdict.sees(size >= 200 && size < 1024);
        verdict.is(value.get<unsigned char>(), TCP_ESTABLISHED);
        verdict.wrote(value, std::min(size, socklen_t{1024}));
        judge_told(verdict, info, 7, value.at(), 7);
        const Output some(13);
        length.put(socklen_t{13});
        verdict.gives(
            call(SYS_getsockopt, memory.fd, SOL_SOCKET, SO_MEMINFO, some.at(), length.at()), 0);
        verdict.is(length.get<socklen_t>(), 13);
        verdict.is(some.get<int>(0), 0);
        verdict.sees(some.get<int>(4) > 0);
        verdict.wrote(some, 13);
    }
    void peer(Verdict& verdict) {
        const Option who = {pair_[0], SOL_SOCKET, SO_PEERCRED};
        const Option of_groups = {pair_[0], SOL_SOCKET, SO_PEERGROUPS};
        const struct ucred self = {getpid(), 0, 0};
        judge_told(verdict, who, 31, &self, sizeof self);
        judge_told(verdict, who, 6, &self, 6);
        judge_told(verdict, of_groups, 31, groups, sizeof groups);
        judge_untold(verdict, of_groups, 11, ERANGE, sizeof groups);
    }
    void membership(Verdict& verdict) {
        struct ip_mreqn wanted = {};
        wanted.imr_multiaddr.s_addr = htonl(0xE00000FB);
        wanted.imr_ifindex = 1;
        const Option join = {datagrams_, SOL_IP, IP_ADD_MEMBERSHIP};
        const Option leave = {datagrams_, SOL_IP, IP_DROP_MEMBERSHIP};
        verdict.gives(set(join, wanted), 0);
        verdict.fails(set(join, wanted), EADDRINUSE);
        verdict.gives(set(leave, wanted), 0);
        verdict.fails(set(leave, wanted), EADDRNOTAVAIL);
        verdict.fails(set(join, wanted, 7), EINVAL);
    }
    // A socket of another family, an option that there is not, and what is no socket.
    void nothing(Verdict& verdict) {
        const Option other = {connection_.client, SOL_IPV6, 26};
        const Option unknown = {connection_.client, SOL_SOCKET, 9999};
        judge_untold(verdict, other, 8, EOPNOTSUPP, 8);
        judge_untold(verdict, unknown, 8, ENOPROTOOPT, 8);
        judge_untold(verdict, {pipe_[0], SOL_SOCKET, SO_TYPE}, 8, ENOTSOCK, 8);
        verdict.fails(set(other, 1), ENOPROTOOPT);
        verdict.fails(set(unknown, 1), ENOPROTOOPT);
        verdict.fails(set(Option{pipe_[0], SOL_SOCKET, SO_KEEPALIVE}, 1), ENOTSOCK);
        verdict.fails(set(Option{987, SOL_SOCKET, SO_KEEPALIVE}, 1), EBADF);
    }

    int datagrams_ = -1;
    int pair_[2] = {-1, -1};
    int pipe_[2] = {-1, -1};
    mosrig::guest::Connection connection_;
};

const mosrig::guest::KindOf<SocketOptions> options("rows-options");

}  // namespace
