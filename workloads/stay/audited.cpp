// SPDX-License-Identifier: MIT
//
// A process whose calls are audited. That is decided as it starts, so it is a child that talks to
// the rig.
//
// Once auditing was on, every process that starts is audited, also when it is off again, until the
// node is booted anew or a rule forbids that. So the rule comes first: nobody but the children of
// one user, whom no node has. It stays, and nothing else does.
#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "workloads/lib/kinds.h"
#include "workloads/lib/successor.h"

namespace {

using mosrig::guest::failed;

// A line to the kernel's audit.
class Audit {
  public:
    Audit() : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT)) {}
    Audit(const Audit&) = delete;
    Audit& operator=(const Audit&) = delete;
    ~Audit() { (void)close(socket_); }

    [[nodiscard]] bool valid() const { return socket_ >= 0; }

    [[nodiscard]] bool turn(bool on) const {
        struct audit_status status = {};
        status.mask = AUDIT_STATUS_ENABLED;
        status.enabled = on ? 1 : 0;
        return ask(AUDIT_SET, &status, sizeof status);
    }

    // No process of any other user is audited from its start on. A rule that is there already is
    // as good.
    [[nodiscard]] bool leave_out_all_but(uid_t user) const {
        struct audit_rule_data rule = {};
        rule.flags = AUDIT_FILTER_TASK;
        rule.action = AUDIT_NEVER;
        rule.field_count = 1;
        rule.fields[0] = AUDIT_UID;
        rule.fieldflags[0] = AUDIT_NOT_EQUAL;
        rule.values[0] = user;
        return ask(AUDIT_ADD_RULE, &rule, sizeof rule) || errno == EEXIST;
    }

  private:
    // False with errno if the kernel does not take it.
    bool ask(unsigned short what, const void* data, size_t size) const {
        struct {
            struct nlmsghdr head;
            char data[sizeof(struct audit_rule_data)];
        } message = {};
        message.head.nlmsg_len = static_cast<unsigned>(NLMSG_LENGTH(size));
        message.head.nlmsg_type = what;
        message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        memcpy(message.data, data, size);
        struct {
            struct nlmsghdr head;
            struct nlmsgerr error;
            char rest[sizeof message];
        } reply = {};
        if (send(socket_, &message, message.head.nlmsg_len, 0) < 0) {
            return false;
        }
        // The answer is of that type, and nothing else comes to who has not asked for it.
        do {
            if (recv(socket_, &reply, sizeof reply, 0) < 0) {
                return false;
            }
        } while (reply.head.nlmsg_type != NLMSG_ERROR);
        errno = -reply.error.error;
        return reply.error.error == 0;
    }

    int socket_;
};

class Audited final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* lacks() override { return Audit().valid() ? nullptr : "this kernel cannot audit"; }

    const char* hold() override {
        const Audit audit;
        if (!audit.leave_out_all_but(audited_user) || !audit.turn(true)) {
            return failed("a rule of the audit");
        }
        const pid_t child = fork_as(audited_user);
        if (!audit.turn(false) || child < 0) {
            return failed("fork of a child that is audited");
        }
        mosrig::guest::go_on_as_child(child);
        return nullptr;
    }

  private:
    static constexpr uid_t audited_user = 4711;

    // Both are who they were right after it.
    static pid_t fork_as(uid_t user) {
        const uid_t before = getuid();
        const auto keep = static_cast<uid_t>(-1);
        if (setresuid(user, keep, keep) != 0) {
            return -1;
        }
        const pid_t child = fork();
        return setresuid(before, keep, keep) == 0 ? child : -1;
    }
};

const mosrig::guest::KindOf<Audited> audited("audit");

}  // namespace
