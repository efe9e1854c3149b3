// SPDX-License-Identifier: MIT
//
// Who a process is: every call that tells or changes its users, groups, capabilities, names and
// what else the kernel knows it by.
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "rows.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class Identity final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    // It changes the names of its host, and so has some of its own.
    const char* hold() override {
        if (geteuid() != 0 || unshare(CLONE_NEWUTS) != 0 || uname(&names_) != 0) {
            return failed("root, unshare, uname");
        }
        file_ = mosrig::guest::scratch_file(O_CLOEXEC);
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = {};
        return file_ < 0 || epoll_ < 0 || pipe2(pipe_, O_CLOEXEC) != 0 ||
                       epoll_ctl(epoll_, EPOLL_CTL_ADD, pipe_[0], &event) != 0
                   ? failed("a file, a pipe, a set")
                   : nullptr;
    }

  protected:
    // Each leaves it who it was.
    const char* act() override {
        static constexpr Row<Identity> rows[] = {
            {"setreuid", &Identity::both_users},
            {"setresuid", &Identity::all_users},
            {"setregid", &Identity::both_groups},
            {"setresgid", &Identity::all_groups},
            {"setgid", &Identity::one_group},
            {"setfsuid", &Identity::user_of_files},
            {"setfsgid", &Identity::group_of_files},
            {"setgroups", &Identity::more_groups},
            {"capget", &Identity::capabilities},
            {"capset", &Identity::change_capabilities},
            {"sethostname", &Identity::host_name},
            {"setdomainname", &Identity::domain_name},
            {"uname", &Identity::system_names},
            {"set_tid_address", &Identity::thread_address},
            {"set_robust_list", &Identity::robust_list},
            {"kcmp", &Identity::compare},
            {"pidfd_getfd", &Identity::descriptor_of},
            {"arch_prctl", &Identity::segment_base},
        };
        const char* const wrong = judge(*this, rows);
        // Another user's process is not to be looked into, and it was one.
        return wrong == nullptr && prctl(PR_SET_DUMPABLE, 1) != 0 ? failed("PR_SET_DUMPABLE")
                                                                  : wrong;
    }

  private:
    // Real, effective and saved.
    static void judge_three(Verdict& verdict, long number, int real, int effective, int saved,
                            int line = __builtin_LINE()) {
        const Output three[3] = {Output(4), Output(4), Output(4)};
        verdict.gives(call(number, three[0].at(), three[1].at(), three[2].at()), 0, line);
        verdict.is(three[0].get<int>(), real, line);
        verdict.is(three[1].get<int>(), effective, line);
        verdict.is(three[2].get<int>(), saved, line);
        for (const Output& one : three) {
            verdict.wrote(one, 4, line);
        }
    }
    void both_users(Verdict& verdict) {
        verdict.gives(call(SYS_setreuid, -1, 77), 0);
        judge_three(verdict, SYS_getresuid, 0, 77, 77);
        verdict.fails(call(SYS_setreuid, 78, -1), EPERM);
        verdict.gives(call(SYS_setreuid, -1, 0), 0);
        judge_three(verdict, SYS_getresuid, 0, 0, 77);
    }
    void all_users(Verdict& verdict) {
        verdict.gives(call(SYS_setresuid, 1000, -1, 0), 0);
        judge_three(verdict, SYS_getresuid, 1000, 0, 0);
        verdict.gives(call(SYS_setresuid, 0, 0, 0), 0);
        judge_three(verdict, SYS_getresuid, 0, 0, 0);
    }
    void both_groups(Verdict& verdict) {
        verdict.gives(call(SYS_setregid, -1, 66), 0);
        judge_three(verdict, SYS_getresgid, 0, 66, 66);
        verdict.gives(call(SYS_getegid), 66);
        verdict.gives(call(SYS_getgid), 0);
    }
    void all_groups(Verdict& verdict) {
        verdict.gives(call(SYS_setresgid, 1, 2, 3), 0);
        judge_three(verdict, SYS_getresgid, 1, 2, 3);
    }
    void one_group(Verdict& verdict) {
        verdict.gives(call(SYS_setgid, 0), 0);
        judge_three(verdict, SYS_getresgid, 0, 0, 0);
    }
    // Both return who it was before, and say so of a user that there is not.
    void user_of_files(Verdict& verdict) {
        struct stat status = {};
        verdict.gives(call(SYS_setfsuid, 77), 0);
        verdict.gives(call(SYS_setfsuid, -1), 77);
        const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        verdict.gives(fstat(fd, &status), 0);
        verdict.is(status.st_uid, 77);
        verdict.gives(close(fd), 0);
        verdict.gives(call(SYS_setfsuid, 0), 77);
    }
    void group_of_files(Verdict& verdict) {
        verdict.gives(call(SYS_setfsgid, 66), 0);
        verdict.gives(call(SYS_setfsgid, -1), 66);
        verdict.gives(call(SYS_setfsgid, 0), 66);
    }
    void more_groups(Verdict& verdict) {
        gid_t before[64] = {};
        const long count = call(SYS_getgroups, std::size(before), before);
        verdict.sees(count >= 0);
        const gid_t wanted[3] = {5, 1234, 70000};
        verdict.gives(call(SYS_setgroups, 3, Input(wanted).at()), 0);
        const Output some(7 * sizeof(gid_t));
        verdict.gives(call(SYS_getgroups, 7, some.at()), 3);
        verdict.sees(some.holds(wanted, sizeof wanted));
        verdict.wrote(some, sizeof wanted);
        const Output none(2 * sizeof(gid_t));
        verdict.fails(call(SYS_getgroups, 2, none.at()), EINVAL);
        verdict.gives(call(SYS_getgroups, 0, none.at()), 3);
        verdict.wrote(none, 0);
        verdict.fails(call(SYS_setgroups, 65537, nullptr), EINVAL);
        verdict.gives(call(SYS_setgroups, count, before), 0);
    }

    struct Header {
        uint32_t version;
        int32_t pid;
    };
    struct Capabilities {
        struct __user_cap_data_struct half[2];
    };
    void capabilities(Verdict& verdict) {
        char text[4096];
        const char* const line =
            mosrig::guest::read_text("/proc/self/status", text, sizeof text) == 0
                ? nullptr
                : strstr(text, "CapEff:");
        const uint64_t wanted = line == nullptr ? 0 : strtoull(line + 7, nullptr, 16);
        Output header(sizeof(Header));
        const Output data(sizeof(Capabilities));
        header.put(Header{_LINUX_CAPABILITY_VERSION_3, 0});
        verdict.gives(call(SYS_capget, header.at(), data.at()), 0);
        known_ = data.get<Capabilities>();
        verdict.is(header.get<Header>().pid, 0);
        verdict.wrote(header, sizeof(Header));
        verdict.is(known_.half[0].effective, static_cast<uint32_t>(wanted));
        verdict.is(known_.half[1].effective, static_cast<uint32_t>(wanted >> 32U));
        verdict.wrote(data, sizeof(Capabilities));
        // It is told which version there is, and that is all.
        const Output none(sizeof(Capabilities));
        header.put(Header{0x12345678, 0});
        verdict.fails(call(SYS_capget, header.at(), none.at()), EINVAL);
        verdict.is(header.get<Header>().version, _LINUX_CAPABILITY_VERSION_3);
        verdict.wrote(header, sizeof(Header));
        verdict.wrote(none, 0);
    }
    void change_capabilities(Verdict& verdict) {
        const Header mine = {_LINUX_CAPABILITY_VERSION_3, 0};
        const Header other = {_LINUX_CAPABILITY_VERSION_3, getppid()};
        Capabilities wanted = known_;
        wanted.half[0].inheritable ^= 1U << CAP_KILL;
        verdict.gives(call(SYS_capset, Input(mine).at(), Input(wanted).at()), 0);
        const Output data(sizeof wanted);
        Output header(sizeof mine);
        header.put(mine);
        verdict.gives(call(SYS_capget, header.at(), data.at()), 0);
        verdict.sees(data.holds(&wanted, sizeof wanted) && header.holds(&mine, sizeof mine));
        verdict.fails(call(SYS_capset, Input(other).at(), Input(wanted).at()), EPERM);
        verdict.gives(call(SYS_capset, Input(mine).at(), Input(known_).at()), 0);
    }

    // Shorter than the name that it had, and than a word.
    void host_name(Verdict& verdict) {
        verdict.gives(call(SYS_sethostname, Input("a row", 5).at(), 5), 0);
        verdict.fails(call(SYS_sethostname, names_.nodename, sizeof names_.nodename + 1), EINVAL);
    }
    void domain_name(Verdict& verdict) {
        verdict.gives(call(SYS_setdomainname, Input("of rows", 7).at(), 7), 0);
        verdict.fails(call(SYS_setdomainname, names_.domainname, sizeof names_.domainname + 1),
                      EINVAL);
    }
    void system_names(Verdict& verdict) {
        const Output output(sizeof names_);
        verdict.gives(call(SYS_uname, output.at()), 0);
        const auto names = output.get<struct utsname>();
        verdict.sees(strcmp(names.nodename, "a row") == 0 &&
                     strcmp(names.domainname, "of rows") == 0);
        verdict.sees(strcmp(names.release, names_.release) == 0 &&
                     strcmp(names.machine, names_.machine) == 0);
        verdict.is(names.domainname[sizeof names.domainname - 1], 0);
        verdict.wrote(output, sizeof names);
        verdict.gives(sethostname(names_.nodename, strlen(names_.nodename)), 0);
        verdict.gives(setdomainname(names_.domainname, strlen(names_.domainname)), 0);
    }

    void thread_address(Verdict& verdict) {
        verdict.gives(call(SYS_set_tid_address, &word_), call(SYS_gettid));
        verdict.is(word_, 0);
    }
    void robust_list(Verdict& verdict) {
        const Output before(8);
        const Output after(8);
        const Output size(8);
        verdict.gives(call(SYS_get_robust_list, 0, before.at(), size.at()), 0);
        verdict.is(size.get<int64_t>(), sizeof list_);
        verdict.wrote(before, 8);
        verdict.wrote(size, 8);
        verdict.gives(call(SYS_set_robust_list, &list_, sizeof list_), 0);
        verdict.fails(call(SYS_set_robust_list, &list_, sizeof list_ - 1), EINVAL);
        verdict.gives(call(SYS_get_robust_list, getpid(), after.at(), size.at()), 0);
        verdict.sees(after.get<uint64_t>() == reinterpret_cast<uint64_t>(&list_));
        verdict.gives(call(SYS_set_robust_list, before.get<uint64_t>(), sizeof list_), 0);
        const Output none(8);
        verdict.fails(call(SYS_get_robust_list, 0x3fffffff, none.at(), none.at()), ESRCH);
        verdict.wrote(none, 0);
    }

    void compare(Verdict& verdict) {
        const pid_t pid = getpid();
        struct kcmp_epoll_slot slot = {};
        slot.efd = static_cast<uint32_t>(epoll_);
        slot.tfd = static_cast<uint32_t>(pipe_[0]);
        const Input known(slot);
        slot.tfd = static_cast<uint32_t>(pipe_[1]);
        verdict.gives(call(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, pipe_[0], known.at()), 0);
        verdict.sees(call(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, file_, known.at()) > 0);
        verdict.fails(call(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, pipe_[0], Input(slot).at()), ENOENT);
        verdict.gives(call(SYS_kcmp, pid, pid, KCMP_VM, 0, 0), 0);
        verdict.fails(call(SYS_kcmp, pid, pid, 99, 0, 0), EINVAL);
    }
    void descriptor_of(Verdict& verdict) {
        const long self = call(SYS_pidfd_open, getpid(), 0);
        const long copy = call(SYS_pidfd_getfd, self, file_, 0);
        verdict.gives(call(SYS_kcmp, getpid(), getpid(), KCMP_FILE, copy, file_), 0);
        verdict.fails(call(SYS_pidfd_getfd, self, 987, 0), EBADF);
        verdict.gives(call(SYS_close, copy), 0);
        verdict.gives(call(SYS_close, self), 0);
    }
    // A matter of where it runs.
    void segment_base(Verdict& verdict) {
        const Output base(8);
        verdict.gives(call(SYS_arch_prctl, ARCH_GET_FS, base.at()), 0);
        verdict.sees(base.get<void*>() == __builtin_thread_pointer());
        verdict.wrote(base, 8);
    }

    struct utsname names_ = {};
    Capabilities known_ = {};
    struct robust_list_head list_ = {{&list_.list}, 0, nullptr};
    int word_ = 0;
    int file_ = -1;
    int epoll_ = -1;
    int pipe_[2] = {};
};

const mosrig::guest::KindOf<Identity> identity("rows-identity");

}  // namespace
