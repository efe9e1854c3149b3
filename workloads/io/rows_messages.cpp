// SPDX-License-Identifier: MIT
//
// Messages between sockets, with their addresses and what else comes with them: one by one, and
// many with one call.
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include "rows.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

// A name outside of the file system.
struct Address {
    struct sockaddr_un name = {};
    socklen_t length = 0;

    void make(const char* text) {
        name.sun_family = AF_UNIX;
        const int count = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "mosrig-%s-%d",
                                   text, static_cast<int>(getpid()));
        length = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + 1) +
                 static_cast<socklen_t>(count);
    }
};

// What a message is sent from, in memory that may only be read.
struct Sent {
    Sent(const Address& address, const unsigned char* bytes, size_t size)
        : to(&address.name, address.length),
          head(bytes, size / 3),
          rest(bytes + size / 3, size - size / 3),
          header{} {
        const struct iovec both[2] = {{const_cast<unsigned char*>(head.at()), size / 3},
                                      {const_cast<unsigned char*>(rest.at()), size - size / 3}};
        std::copy(both, both + 2, parts);
        header.msg_name = const_cast<unsigned char*>(to.at());
        header.msg_namelen = address.length;
        header.msg_iov = parts;
        header.msg_iovlen = 2;
    }

    Input to;
    Input head;
    Input rest;
    struct iovec parts[2];
    struct msghdr header;
};

// What a message is received into, with less room than the longest one needs.
struct Received {
    static constexpr size_t head_size = 3;
    static constexpr size_t rest_size = 31;
    static constexpr size_t control_size = 45;

    Received() {
        header.msg_name = name.at();
        header.msg_namelen = sizeof(struct sockaddr_un);
        header.msg_control = control.at();
        header.msg_controllen = control_size;
        header.msg_iov = parts;
        header.msg_iovlen = 2;
    }

    Output name{sizeof(struct sockaddr_un)};
    Output control{control_size};
    Output head{head_size};
    Output rest{rest_size};
    struct iovec parts[2] = {{head.at(), head_size}, {rest.at(), rest_size}};
    struct msghdr header = {};
};

class Messages final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    const char* hold() override {
        const int on = 1;
        here_.make("here");
        there_.make("there");
        nobody_.make("nobody");
        sender_ = open_as(here_);
        receiver_ = open_as(there_);
        return sender_ < 0 || receiver_ < 0 ||
                       setsockopt(receiver_, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0
                   ? failed("two sockets with names")
                   : nullptr;
    }

  protected:
    // Nothing is on its way from one to the next.
    const char* act() override {
        static constexpr Row<Messages> rows[] = {
            {"getsockname", &Messages::own_name},      {"getsockopt", &Messages::option},
            {"recvfrom", &Messages::receive_from},     {"sendmsg", &Messages::send_message},
            {"recvmsg", &Messages::receive_message},   {"sendmmsg", &Messages::send_messages},
            {"recvmmsg", &Messages::receive_messages},
        };
        mosrig::guest::fill_bytes(bytes_, sizeof bytes_, ++turn_);
        return judge(*this, rows);
    }

  private:
    static constexpr size_t sizes[] = {1, 33, 257};
    static constexpr size_t count = 3;
    static constexpr unsigned untouched = 4711;

    static int open_as(const Address& address) {
        const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return bind(fd, reinterpret_cast<const struct sockaddr*>(&address.name), address.length) ==
                       0
                   ? fd
                   : -1;
    }
    [[nodiscard]] Sent outgoing(size_t size) const { return {there_, bytes_, size}; }

    // The name of a socket, and how long it is, whether that is less than the room or more.
    void judge_name(Verdict& verdict, const Output& name, const Output& length, size_t room,
                    const Address& wanted, int line = __builtin_LINE()) const {
        const size_t written = std::min(room, size_t{wanted.length});
        verdict.sees(name.holds(&wanted.name, written), line);
        verdict.wrote(name, written, line);
        verdict.is(length.get<socklen_t>(), wanted.length, line);
        verdict.wrote(length, sizeof(socklen_t), line);
    }
    void own_name(Verdict& verdict) {
        for (const socklen_t room : {5, 97}) {
            const Output name(room);
            Output length(sizeof room);
            length.put(room);
            verdict.gives(call(SYS_getsockname, receiver_, name.at(), length.at()), 0);
            judge_name(verdict, name, length, room, there_);
            verdict.fails(call(SYS_getsockname, 987, name.at(), length.at()), EBADF);
        }
    }
    void option(Verdict& verdict) {
        for (const socklen_t room : {3, 11}) {
            const int on = 1;
            const socklen_t written = std::min(room, socklen_t{sizeof on});
            const Output value(room);
            Output length(sizeof room);
            length.put(room);
            verdict.gives(
                call(SYS_getsockopt, receiver_, SOL_SOCKET, SO_PASSCRED, value.at(), length.at()),
                0);
            verdict.is(length.get<socklen_t>(), written);
            verdict.sees(value.holds(&on, written));
            verdict.wrote(value, written);
            verdict.wrote(length, sizeof room);
        }
    }

    // What is only looked at may be longer than the room for it; what is taken is not counted so.
    void receive_from(Verdict& verdict) {
        const Input bytes(bytes_, 33);
        const Input to(&there_.name, there_.length);
        const Output part(9);
        verdict.gives(call(SYS_sendto, sender_, bytes.at(), 33, 0, to.at(), there_.length), 33);
        verdict.gives(
            call(SYS_recvfrom, receiver_, part.at(), 9, MSG_PEEK | MSG_TRUNC, nullptr, nullptr),
            33);
        verdict.sees(part.holds(bytes_, 9));
        verdict.wrote(part, 9);
        for (const socklen_t room : {7, 97}) {
            const Output all(41);
            const Output name(room);
            Output length(sizeof room);
            length.put(room);
            verdict.gives(call(SYS_recvfrom, receiver_, all.at(), 41, room < 9 ? MSG_PEEK : 0,
                               name.at(), length.at()),
                          33);
            verdict.sees(all.holds(bytes_, 33));
            verdict.wrote(all, 33);
            judge_name(verdict, name, length, room, here_);
        }
        const Output none(5);
        verdict.fails(call(SYS_recvfrom, receiver_, none.at(), 5, 0, nullptr, nullptr), EAGAIN);
        verdict.wrote(none, 0);
    }

    // Everything that a message of so many bytes must have brought.
    void judge_received(Verdict& verdict, const Received& to, const struct msghdr& header,
                        size_t size, int line = __builtin_LINE()) const {
        const size_t head = std::min(size, Received::head_size);
        const size_t rest = std::min(size - head, Received::rest_size);
        verdict.sees(to.head.holds(bytes_, head) && to.rest.holds(bytes_ + head, rest), line);
        verdict.wrote(to.head, head, line);
        verdict.wrote(to.rest, rest, line);
        verdict.is(header.msg_flags & MSG_TRUNC, head + rest < size ? MSG_TRUNC : 0, line);
        verdict.is(header.msg_namelen, here_.length, line);
        verdict.sees(to.name.holds(&here_.name, here_.length), line);
        verdict.wrote(to.name, here_.length, line);
        // Who has sent it; what fills up the last word is left as it was.
        const auto control = to.control.get<struct cmsghdr>();
        const auto who = to.control.get<struct ucred>(sizeof control);
        verdict.is(static_cast<long long>(header.msg_controllen), CMSG_SPACE(sizeof who), line);
        verdict.is(static_cast<long long>(control.cmsg_len), CMSG_LEN(sizeof who), line);
        verdict.is(control.cmsg_type, SCM_CREDENTIALS, line);
        verdict.is(who.pid, getpid(), line);
        verdict.wrote(to.control, CMSG_LEN(sizeof who), line);
    }

    void send_message(Verdict& verdict) {
        const Sent sent = outgoing(33);
        const Input header(sent.header);
        verdict.gives(call(SYS_sendmsg, sender_, header.at(), 0), 33);
        const Output bytes(37);
        verdict.gives(call(SYS_read, receiver_, bytes.at(), 37), 33);
        verdict.sees(bytes.holds(bytes_, 33));
        verdict.wrote(bytes, 33);
        const Sent lost(nobody_, bytes_, 33);
        verdict.fails(call(SYS_sendmsg, sender_, Input(lost.header).at(), 0), ECONNREFUSED);
    }
    void post(Verdict& verdict, size_t size, int line = __builtin_LINE()) const {
        const Sent sent = outgoing(size);
        verdict.gives(call(SYS_sendmsg, sender_, &sent.header, 0), static_cast<long>(size), line);
    }
    void receive_message(Verdict& verdict) {
        for (const size_t size : sizes) {
            const Received to;
            Output header(sizeof to.header);
            header.put(to.header);
            post(verdict, size);
            const long all = Received::head_size + Received::rest_size;
            verdict.gives(call(SYS_recvmsg, receiver_, header.at(), 0),
                          std::min(static_cast<long>(size), all));
            judge_received(verdict, to, header.get<struct msghdr>(), size);
            verdict.wrote(header, sizeof to.header);
        }
    }

    void send_messages(Verdict& verdict) {
        const Sent sent[count] = {outgoing(sizes[0]), outgoing(sizes[1]), outgoing(sizes[2])};
        const Sent lost(nobody_, bytes_, 1);
        struct mmsghdr all[count + 1] = {};
        for (size_t which = 0; which < count; ++which) {
            all[which] = {sent[which].header, untouched};
        }
        all[count] = {lost.header, untouched};
        Output headers(sizeof all);
        headers.put(all);
        verdict.gives(call(SYS_sendmmsg, sender_, headers.at(), count, 0), count);
        judge_counts(verdict, headers, all, count);
        take(verdict, count);
        // One that cannot be sent ends it, and is an error only if it is the first.
        std::swap(all[1], all[count]);
        headers.put(all);
        verdict.gives(call(SYS_sendmmsg, sender_, headers.at(), count, 0), 1);
        judge_counts(verdict, headers, all, 1);
        take(verdict, 1);
        std::swap(all[0], all[1]);
        headers.put(all);
        verdict.fails(call(SYS_sendmmsg, sender_, headers.at(), count, 0), ECONNREFUSED);
        judge_counts(verdict, headers, all, 0);
    }
    // Of so many messages it is told how long they are, and nothing else.
    static void judge_counts(Verdict& verdict, const Output& headers,
                             const struct mmsghdr (&before)[count + 1], size_t known,
                             int line = __builtin_LINE()) {
        struct mmsghdr wanted[count + 1];
        memcpy(&wanted, &before, sizeof wanted);
        for (size_t which = 0; which < known; ++which) {
            wanted[which].msg_len = sizes[which];
        }
        verdict.sees(headers.holds(&wanted, sizeof wanted), line);
        verdict.wrote(headers, sizeof wanted, line);
    }
    void take(Verdict& verdict, size_t many, int line = __builtin_LINE()) const {
        for (size_t which = 0; which < many; ++which) {
            const Output bytes(257);
            verdict.gives(call(SYS_read, receiver_, bytes.at(), 257),
                          static_cast<long>(sizes[which]), line);
            verdict.sees(bytes.holds(bytes_, sizes[which]), line);
        }
    }

    void receive_messages(Verdict& verdict) {
        const Received to[count + 1];
        struct mmsghdr all[count + 1] = {};
        for (size_t which = 0; which < count + 1; ++which) {
            all[which] = {to[which].header, untouched};
        }
        Output headers(sizeof all);
        Output time(sizeof(struct timespec));
        const struct timespec wait = {1000, 1};
        headers.put(all);
        time.put(wait);
        verdict.fails(call(SYS_recvmmsg, receiver_, headers.at(), count, MSG_DONTWAIT, time.at()),
                      EAGAIN);
        verdict.sees(headers.holds(all, sizeof all) && time.holds(&wait, sizeof wait));
        for (const size_t size : sizes) {
            post(verdict, size);
        }
        verdict.gives(
            call(SYS_recvmmsg, receiver_, headers.at(), count + 1, MSG_DONTWAIT, time.at()), count);
        for (size_t which = 0; which < count; ++which) {
            const auto header = headers.get<struct mmsghdr>(which * sizeof(struct mmsghdr));
            const size_t room = Received::head_size + Received::rest_size;
            verdict.is(header.msg_len, static_cast<long long>(std::min(sizes[which], room)));
            judge_received(verdict, to[which], header.msg_hdr, sizes[which]);
        }
        // The last one is still waited for, and for less time than before.
        verdict.sees(headers.holds(&all[count], sizeof all[0], count * sizeof all[0]));
        verdict.wrote(to[count].head, 0);
        verdict.wrote(headers, sizeof all);
        const time_t left = time.get<struct timespec>().tv_sec;
        verdict.sees(left > 800 && left < 1000);
        verdict.wrote(time, sizeof wait);
    }

    Address here_;
    Address there_;
    Address nobody_;
    int sender_ = -1;
    int receiver_ = -1;
    unsigned turn_ = 0;
    unsigned char bytes_[257] = {};
};

const mosrig::guest::KindOf<Messages> messages("rows-messages");

}  // namespace
