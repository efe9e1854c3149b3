// SPDX-License-Identifier: MIT
//
// Who has a say in every system call: a seccomp filter, and system call user dispatch.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <iterator>

#include "workloads/lib/kinds.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

// It allows everything, and can never be taken off.
class Filter final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        struct sock_filter rules[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        const struct sock_fprog program = {std::size(rules), rules};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
            return failed("seccomp");
        }
        return nullptr;
    }
};

// Calls from everywhere are left alone.
class UserDispatch final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        constexpr unsigned long everywhere = 0x7fffffffffffUL;
        return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 1UL, everywhere, 0) != 0
                   ? failed("user dispatch")
                   : nullptr;
    }
    const char* release() override {
        return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0UL, 0UL, 0) != 0
                   ? failed("user dispatch")
                   : nullptr;
    }
};

const KindOf<Filter> seccomp("seccomp");
const KindOf<UserDispatch> dispatch("sud");

}  // namespace
