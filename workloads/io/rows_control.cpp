// SPDX-License-Identifier: MIT
//
// Every command of fcntl: numbers, structures that it fills in only sometimes, and locks that two
// open files of one process hold against each other.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "rows_commands.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

// Newer than the C library of some systems.
#ifndef F_GET_FILE_RW_HINT
#define F_GET_FILE_RW_HINT 1037
#define F_SET_FILE_RW_HINT 1038
#endif

// Younger than the C library.
#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (F_SETLEASE + 3)
#define F_CREATED_QUERY (F_SETLEASE + 4)
#endif

namespace {

using mosrig::guest::AtHome;
using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class Control final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    ~Control() override {
        if (group_ > 0) {
            (void)kill(group_, SIGKILL);
            (void)waitpid(group_, nullptr, 0);
        }
    }

    const char* hold() override {
        uint64_t hint = 0;
        file_ = mosrig::guest::scratch_file(O_CLOEXEC);
        other_ = mosrig::guest::reopen(file_, O_RDWR);
        leased_ = mosrig::guest::only_to_read(mosrig::guest::scratch_file(O_CLOEXEC));
        folder_ = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (other_ < 0 || leased_ < 0 || folder_ < 0 || pipe2(pipe_, O_CLOEXEC) != 0) {
            return failed("files, a folder, a pipe");
        }
        if (!make_group()) {
            return failed("a process group with a number of 512 to 516");
        }
        created_.was(fcntl(file_, F_CREATED_QUERY, 0));
        noticed_.was(fcntl(folder_, F_NOTIFY, 0));
        hinted_.was(fcntl(file_, F_GET_FILE_RW_HINT, &hint));
        hint_set_.was(fcntl(file_, F_SET_FILE_RW_HINT, &hint));
        return nullptr;
    }

  protected:
    const char* act() override {
        static constexpr Row<Control> rows[] = {
            {"F_DUPFD", &Control::duplicate},        {"F_SETFD", &Control::flags},
            {"F_SETOWN", &Control::owner},           {"F_SETOWN_EX", &Control::any_owner},
            {"F_SETSIG", &Control::signal_of},       {"F_SETLEASE", &Control::lease},
            {"F_NOTIFY", &Control::notice},          {"F_SETLK", &Control::lock_of_process},
            {"F_OFD_SETLK", &Control::lock_of_file}, {"F_SET_RW_HINT", &Control::hints},
            {"F_SETPIPE_SZ", &Control::pipe_size},   {"F_ADD_SEALS", &Control::seals},
        };
        ++turn_;
        return judge(*this, rows);
    }

  private:
    static constexpr int nobody = 0x3fffffff;
    static constexpr size_t page = 4096;

    // A process that leads a group whose number is one that the kernel uses inside for a call that
    // is to be made again.
    bool make_group() {
        for (pid_t number : {512, 513, 514, 516}) {
            struct clone_args request = {};
            request.exit_signal = SIGCHLD;
            request.set_tid = reinterpret_cast<uint64_t>(&number);
            request.set_tid_size = 1;
            const long child = call(SYS_clone3, &request, sizeof request);
            if (child == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                    (void)pause();
                }
            }
            if (child > 0) {
                group_ = number;
                return setpgid(group_, group_) == 0;
            }
        }
        return false;
    }

    template <class Argument>
    static long control(int fd, int command, Argument argument) {
        return call(SYS_fcntl, fd, command, argument);
    }

    // The lowest that are free.
    void duplicate(Verdict& verdict) {
        verdict.gives(control(file_, F_DUPFD, 700), 700);
        verdict.gives(control(file_, F_DUPFD_CLOEXEC, 700), 701);
        verdict.gives(control(700, F_GETFD, 0), 0);
        verdict.gives(control(701, F_GETFD, 0), FD_CLOEXEC);
        verdict.gives(call(SYS_close, 700), 0);
        verdict.gives(call(SYS_close, 701), 0);
        verdict.gives(control(pipe_[0], F_DUPFD_QUERY, pipe_[0]), 1);
        verdict.gives(control(pipe_[0], F_DUPFD_QUERY, pipe_[1]), 0);
        verdict.fails(control(pipe_[0], F_DUPFD_QUERY, 987), EBADF);
        verdict.gives(control(pipe_[0], F_CREATED_QUERY, 0), 0);
        created_.judge(verdict, control(file_, F_CREATED_QUERY, 0));
        verdict.fails(control(file_, F_DUPFD, -1), EINVAL);
        verdict.fails(control(987, F_DUPFD, 0), EBADF);
    }
    void flags(Verdict& verdict) {
        verdict.gives(control(pipe_[1], F_SETFD, 0), 0);
        verdict.gives(control(pipe_[1], F_GETFD, 0), 0);
        verdict.gives(control(pipe_[1], F_SETFD, FD_CLOEXEC), 0);
        verdict.gives(control(pipe_[1], F_GETFD, 0), FD_CLOEXEC);
        verdict.gives(control(pipe_[1], F_SETFL, O_NONBLOCK), 0);
        verdict.gives(control(pipe_[1], F_GETFL, 0), O_WRONLY | O_NONBLOCK);
        verdict.gives(control(pipe_[1], F_SETFL, 0), 0);
        verdict.gives(control(pipe_[1], F_GETFL, 0), O_WRONLY);
        verdict.fails(control(987, F_GETFL, 0), EBADF);
    }

    void owner(Verdict& verdict) {
        verdict.gives(control(pipe_[0], F_SETOWN, getpid()), 0);
        verdict.gives(control(pipe_[0], F_GETOWN, 0), getpid());
        verdict.fails(control(pipe_[0], F_SETOWN, nobody), ESRCH);
        verdict.gives(control(pipe_[0], F_GETOWN, 0), getpid());
        verdict.gives(control(pipe_[0], F_SETOWN, -group_), 0);
        verdict.fails(control(pipe_[0], F_GETOWN, 0), group_);
        verdict.gives(control(pipe_[0], F_SETOWN, 0), 0);
        verdict.gives(control(pipe_[0], F_GETOWN, 0), 0);
    }
    void any_owner(Verdict& verdict) {
        const struct f_owner_ex owners[] = {
            {F_OWNER_PID, getpid()}, {F_OWNER_PGRP, getpgrp()}, {F_OWNER_TID, gettid()}};
        for (const struct f_owner_ex& owner : owners) {
            const Output now(sizeof owner);
            verdict.gives(control(pipe_[0], F_SETOWN_EX, Input(owner).at()), 0);
            verdict.gives(control(pipe_[0], F_GETOWN_EX, now.at()), 0);
            verdict.sees(now.holds(&owner, sizeof owner));
            verdict.wrote(now, sizeof owner);
        }
        const struct f_owner_ex wrong = {static_cast<decltype(wrong.type)>(99), getpid()};
        const struct f_owner_ex gone = {F_OWNER_PID, nobody};
        const Output none(sizeof wrong);
        verdict.fails(control(pipe_[0], F_SETOWN_EX, Input(wrong).at()), EINVAL);
        verdict.fails(control(pipe_[0], F_SETOWN_EX, Input(gone).at()), ESRCH);
        verdict.gives(control(pipe_[0], F_GETOWN, 0), gettid());
        verdict.gives(control(pipe_[0], F_SETOWN, 0), 0);
        verdict.fails(control(987, F_GETOWN_EX, none.at()), EBADF);
        verdict.wrote(none, 0);
    }
    void signal_of(Verdict& verdict) {
        verdict.gives(control(pipe_[0], F_GETSIG, 0), 0);
        verdict.gives(control(pipe_[0], F_SETSIG, SIGUSR1), 0);
        verdict.gives(control(pipe_[0], F_GETSIG, 0), SIGUSR1);
        verdict.fails(control(pipe_[0], F_SETSIG, 99), EINVAL);
        verdict.gives(control(pipe_[0], F_SETSIG, 0), 0);
    }

    // One to read, of a file that nobody can write; and of one that somebody can, none.
    void lease(Verdict& verdict) {
        verdict.gives(control(leased_, F_GETLEASE, 0), F_UNLCK);
        verdict.gives(control(leased_, F_SETLEASE, F_RDLCK), 0);
        verdict.gives(control(leased_, F_GETLEASE, 0), F_RDLCK);
        verdict.gives(control(leased_, F_SETLEASE, F_UNLCK), 0);
        verdict.gives(control(leased_, F_GETLEASE, 0), F_UNLCK);
        verdict.fails(control(file_, F_SETLEASE, F_RDLCK), EAGAIN);
        verdict.fails(control(pipe_[0], F_SETLEASE, F_RDLCK), EINVAL);
    }
    // Of a folder. Not every kernel can.
    void notice(Verdict& verdict) { noticed_.judge(verdict, control(folder_, F_NOTIFY, 0)); }

    struct flock piece(short type) const {
        struct flock lock;
        // What lies between its members travels as well.
        memset(&lock, 0, sizeof lock);
        lock.l_type = type;
        lock.l_whence = SEEK_SET;
        lock.l_start = 1000 + turn_;
        lock.l_len = 77;
        return lock;
    }
    // Who holds what another one would have to wait for, or that nobody does: then only that is
    // written.
    void judge_holder(Verdict& verdict, int fd, int command, const struct flock& held, int holder,
                      int line = __builtin_LINE()) const {
        struct flock wanted = piece(F_WRLCK);
        wanted.l_len = 0;
        Output now(sizeof wanted);
        now.put(wanted);
        verdict.gives(control(fd, command, now.at()), 0, line);
        if (held.l_type == F_UNLCK) {
            wanted.l_type = F_UNLCK;
        } else {
            wanted = held;
            wanted.l_pid = holder;
        }
        verdict.sees(now.holds(&wanted, sizeof wanted), line);
        verdict.wrote(now, sizeof wanted, line);
    }
    // The process has none against itself, but every open file has.
    void lock_of_process(Verdict& verdict) {
        const struct flock held = piece(F_WRLCK);
        const struct flock free = piece(F_UNLCK);
        const Input lock(held);
        verdict.gives(control(file_, F_SETLK, lock.at()), 0);
        verdict.gives(control(other_, F_SETLKW, lock.at()), 0);
        judge_holder(verdict, other_, F_GETLK, free, 0);
        judge_holder(verdict, other_, F_OFD_GETLK, held, getpid());
        verdict.fails(control(other_, F_OFD_SETLK, lock.at()), EAGAIN);
        verdict.gives(control(file_, F_SETLK, Input(free).at()), 0);
        judge_holder(verdict, other_, F_OFD_GETLK, free, 0);
        verdict.fails(control(file_, F_SETLK, Input(piece(99)).at()), EINVAL);
        verdict.fails(control(pipe_[0], F_SETLK, lock.at()), EBADF);
    }
    void lock_of_file(Verdict& verdict) {
        const struct flock held = piece(F_RDLCK);
        const struct flock free = piece(F_UNLCK);
        struct flock with_pid = held;
        with_pid.l_pid = getpid();
        verdict.gives(control(file_, F_OFD_SETLK, Input(held).at()), 0);
        judge_holder(verdict, file_, F_OFD_GETLK, free, 0);
        judge_holder(verdict, other_, F_OFD_GETLK, held, -1);
        judge_holder(verdict, file_, F_GETLK, held, -1);
        verdict.fails(control(file_, F_SETLK, Input(piece(F_WRLCK)).at()), EAGAIN);
        verdict.gives(control(other_, F_OFD_SETLKW, Input(held).at()), 0);
        verdict.gives(control(other_, F_OFD_SETLKW, Input(free).at()), 0);
        verdict.gives(control(file_, F_OFD_SETLK, Input(free).at()), 0);
        verdict.fails(control(file_, F_OFD_SETLK, Input(with_pid).at()), EINVAL);
        Output none(sizeof with_pid);
        none.put(with_pid);
        verdict.fails(control(file_, F_OFD_GETLK, none.at()), EINVAL);
        verdict.sees(none.holds(&with_pid, sizeof with_pid));
        verdict.wrote(none, sizeof with_pid);
    }

    void judge_hint(Verdict& verdict, uint64_t wanted, int line = __builtin_LINE()) const {
        const Output now(sizeof wanted);
        verdict.gives(control(other_, F_GET_RW_HINT, now.at()), 0, line);
        verdict.is(now.get<int64_t>(), static_cast<int64_t>(wanted), line);
        verdict.wrote(now, sizeof wanted, line);
    }
    // How long what is written will live. Newer kernels keep it for no open file of its own.
    void hints(Verdict& verdict) {
        for (const uint64_t hint : {RWH_WRITE_LIFE_EXTREME, RWH_WRITE_LIFE_NOT_SET}) {
            verdict.gives(control(file_, F_SET_RW_HINT, Input(hint).at()), 0);
            judge_hint(verdict, hint);
        }
        verdict.fails(control(file_, F_SET_RW_HINT, Input(uint64_t{1} << 40U).at()), EINVAL);
        judge_hint(verdict, RWH_WRITE_LIFE_NOT_SET);
        const Output none(sizeof(uint64_t));
        hinted_.judge(verdict, control(file_, F_GET_FILE_RW_HINT, none.at()));
        verdict.wrote(none, hinted_.done() ? sizeof(uint64_t) : 0);
        hint_set_.judge(verdict, control(file_, F_SET_FILE_RW_HINT, Input(uint64_t{0}).at()));
    }

    // In whole pages, and as many of them as a power of two.
    void pipe_size(Verdict& verdict) {
        const long before = control(pipe_[0], F_GETPIPE_SZ, 0);
        verdict.sees(before > 0);
        verdict.gives(control(pipe_[1], F_SETPIPE_SZ, 3 * page - 1), 4 * page);
        verdict.gives(control(pipe_[0], F_GETPIPE_SZ, 0), 4 * page);
        verdict.gives(control(pipe_[1], F_SETPIPE_SZ, before), before);
        verdict.fails(control(file_, F_GETPIPE_SZ, 0), EBADF);
        verdict.fails(control(file_, F_SETPIPE_SZ, page), EBADF);
    }
    void seals(Verdict& verdict) {
        const int memory = memfd_create("rows", MFD_ALLOW_SEALING | MFD_CLOEXEC);
        verdict.gives(control(memory, F_GET_SEALS, 0), 0);
        verdict.gives(control(memory, F_ADD_SEALS, F_SEAL_GROW), 0);
        verdict.gives(control(memory, F_ADD_SEALS, F_SEAL_SEAL), 0);
        verdict.gives(control(memory, F_GET_SEALS, 0), F_SEAL_GROW | F_SEAL_SEAL);
        verdict.fails(call(SYS_ftruncate, memory, page), EPERM);
        verdict.fails(control(memory, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
        verdict.gives(call(SYS_close, memory), 0);
        verdict.fails(control(pipe_[1], F_GET_SEALS, 0), EINVAL);
        verdict.fails(control(pipe_[1], F_ADD_SEALS, F_SEAL_SEAL), EINVAL);
    }

    int file_ = -1;
    int other_ = -1;
    int leased_ = -1;
    int folder_ = -1;
    pid_t group_ = 0;
    int pipe_[2] = {-1, -1};
    unsigned turn_ = 0;
    AtHome created_;
    AtHome noticed_;
    AtHome hinted_;
    AtHome hint_set_;
};

const mosrig::guest::KindOf<Control> control("rows-control");

}  // namespace
