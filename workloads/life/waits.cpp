// SPDX-License-Identifier: MIT
//
// Children that were made at home and end while their parent is away: each kind of wait, and of
// what it tells, without a call that would bring the parent home.
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "told.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::told_of;

constexpr int exit_status = 7;
constexpr long long burnt_ns = 300000000;

// A child that does what it is told by letters in a pipe.
class Child {
  public:
    // nullptr or what failed.
    const char* start() {
        int pipe_ends[2];
        if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
            return failed("pipe");
        }
        pid_ = fork();
        if (pid_ == 0) {
            obey(pipe_ends[0]);
        }
        (void)close(pipe_ends[0]);
        (void)close(orders_);
        orders_ = pipe_ends[1];
        return pid_ < 0 ? failed("fork") : nullptr;
    }

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] id_t id() const { return static_cast<id_t>(pid_); }

    // It stops itself, ends, or uses CPU time and ends.
    [[nodiscard]] const char* stop() const { return order('s'); }
    [[nodiscard]] const char* end() const { return order('e'); }
    [[nodiscard]] const char* burn() const { return order('b'); }
    [[nodiscard]] const char* signal(int number) const {
        return kill(pid_, number) != 0 ? failed("kill of a child") : nullptr;
    }

  private:
    [[nodiscard]] const char* order(char letter) const {
        return write(orders_, &letter, 1) != 1 ? failed("an order to a child") : nullptr;
    }

    [[noreturn]] static void obey(int orders) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        // The line to the rig is the parent's alone.
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        for (char letter = 0; read(orders, &letter, 1) == 1;) {
            if (letter == 's') {
                (void)kill(getpid(), SIGSTOP);
                continue;
            }
            while (letter == 'b' && mosrig::guest::now_ns(CLOCK_PROCESS_CPUTIME_ID) < burnt_ns) {
            }
            _exit(exit_status);
        }
        _exit(0);
    }

    pid_t pid_ = 0;
    int orders_ = -1;
};

class Waits final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    // Asked again at home, it makes children in place of those that have ended.
    const char* hold() override {
        const char* wrong = nullptr;
        for (Child& child : children_) {
            wrong = wrong != nullptr ? wrong : child.start();
        }
        return wrong;
    }

  protected:
    const char* act() override {
        for (const auto part :
             {&Waits::by_wait4, &Waits::stopped_for_wait4, &Waits::by_waitid,
              &Waits::told_by_signal, &Waits::as_a_group, &Waits::by_descriptor}) {
            if (const char* const wrong = (this->*part)(); wrong != nullptr) {
                return wrong;
            }
        }
        const pid_t left = wait4(-1, nullptr, WNOHANG, nullptr);
        if (left != -1) {
            return differs("a wait for nobody", left, -1);
        }
        return errno != ECHILD ? failed("a wait for nobody") : nullptr;
    }

  private:
    static constexpr int watched = WUNTRACED | WCONTINUED;

    // Nothing yet, then the status and what the child has used.
    const char* by_wait4() {
        const Child& child = children_[0];
        struct rusage usage = {};
        int status = 0;
        if (wait4(child.pid(), &status, WNOHANG | watched, &usage) != 0) {
            return failed("WNOHANG for a child that lives");
        }
        if (const char* const wrong = child.burn(); wrong != nullptr) {
            return wrong;
        }
        if (wait4(child.pid(), &status, 0, &usage) != child.pid()) {
            return failed("wait4");
        }
        if (status != exit_status << 8) {
            return differs("status by wait4", status, exit_status << 8);
        }
        return enough(usage);
    }

    static const char* enough(const struct rusage& usage) {
        const long long used = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
                               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
        if (used < burnt_ns * 9 / 10) {
            return differs("CPU time of a child in ms", used / 1000000, burnt_ns / 1000000);
        }
        return usage.ru_maxrss <= 0 ? differs("largest size of a child", usage.ru_maxrss, 1)
                                    : nullptr;
    }

    const char* stopped_for_wait4() {
        const Child& child = children_[1];
        int status = 0;
        const char* wrong = child.stop();
        if (wrong != nullptr || wait4(child.pid(), &status, WUNTRACED, nullptr) != child.pid() ||
            !WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP) {
            return wrong != nullptr ? wrong : differs("status of one that stops", status, 0x137F);
        }
        if (wait4(child.pid(), &status, WNOHANG | watched, nullptr) != 0) {
            return failed("a stop that was told twice");
        }
        wrong = child.signal(SIGCONT);
        if (wrong != nullptr || wait4(child.pid(), &status, WCONTINUED, nullptr) != child.pid() ||
            !WIFCONTINUED(status)) {
            return wrong != nullptr ? wrong : differs("status of one that goes on", status, 0xFFFF);
        }
        wrong = child.signal(SIGTERM);
        if (wrong != nullptr || wait4(child.pid(), &status, 0, nullptr) != child.pid() ||
            status != SIGTERM) {
            return wrong != nullptr ? wrong : differs("status of one killed", status, SIGTERM);
        }
        return nullptr;
    }

    static const char* wait_id(idtype_t kind, const Child& child, int options, int code,
                               int status) {
        siginfo_t info = {};
        return waitid(kind, child.id(), &info, options) != 0
                   ? failed("waitid")
                   : told_of(info, child.pid(), code, status);
    }

    const char* by_waitid() {
        const Child& child = children_[2];
        siginfo_t info = {};
        info.si_pid = 1;
        if (waitid(P_PID, child.id(), &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) != 0 ||
            info.si_pid != 0) {
            return differs("pid told of nobody", info.si_pid, 0);
        }
        const char* wrong = child.stop();
        wrong = wrong != nullptr ? wrong : wait_id(P_PID, child, WSTOPPED, CLD_STOPPED, SIGSTOP);
        wrong = wrong != nullptr ? wrong : child.signal(SIGCONT);
        wrong =
            wrong != nullptr ? wrong : wait_id(P_PID, child, WCONTINUED, CLD_CONTINUED, SIGCONT);
        wrong = wrong != nullptr ? wrong : child.burn();
        wrong = wrong != nullptr
                    ? wrong
                    : wait_id(P_ALL, child, WEXITED | WNOWAIT, CLD_EXITED, exit_status);
        if (wrong != nullptr) {
            return wrong;
        }
        // The library's waitid has no room for what the child has used.
        struct rusage usage = {};
        if (syscall(SYS_waitid, P_PID, child.pid(), &info, WEXITED, &usage) != 0) {
            return failed("waitid with rusage");
        }
        wrong = told_of(info, child.pid(), CLD_EXITED, exit_status);
        return wrong != nullptr ? wrong : enough(usage);
    }

    // The next SIGCHLD tells that, and it is the only one.
    static const char* hear(const Child& child, int code, int status) {
        sigset_t all_but;
        (void)sigfillset(&all_but);
        (void)sigdelset(&all_but, SIGCHLD);
        while (told_ == 0) {
            (void)sigsuspend(&all_but);
        }
        const sig_atomic_t times = told_;
        told_ = 0;
        return times != 1 ? differs("signals of one change", times, 1)
                          : told_of(heard_, child.pid(), code, status);
    }

    const char* told_by_signal() {
        const Child& child = children_[3];
        sigset_t blocked;
        struct sigaction action = {};
        struct sigaction before = {};
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGCHLD);
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = [](int /*signal*/, siginfo_t* info, void* /*context*/) {
            heard_ = *info;
            told_ = told_ + 1;
        };
        told_ = 0;
        if (sigprocmask(SIG_BLOCK, &blocked, nullptr) != 0 ||
            sigaction(SIGCHLD, &action, &before) != 0) {
            return failed("a handler for SIGCHLD");
        }
        const char* wrong = child.stop();
        wrong = wrong != nullptr ? wrong : hear(child, CLD_STOPPED, SIGSTOP);
        wrong = wrong != nullptr ? wrong : child.signal(SIGCONT);
        wrong = wrong != nullptr ? wrong : hear(child, CLD_CONTINUED, SIGCONT);
        wrong = wrong != nullptr ? wrong : child.end();
        wrong = wrong != nullptr ? wrong : hear(child, CLD_EXITED, exit_status);
        // One that was told of by its signal has still to be waited for.
        wrong = wrong != nullptr
                    ? wrong
                    : wait_id(P_PID, child, WEXITED | WNOHANG, CLD_EXITED, exit_status);
        if (sigaction(SIGCHLD, &before, nullptr) != 0 ||
            sigprocmask(SIG_UNBLOCK, &blocked, nullptr) != 0) {
            return failed("SIGCHLD as before");
        }
        return wrong;
    }

    const char* as_a_group() {
        const Child& child = children_[4];
        if (setpgid(child.pid(), child.pid()) != 0 || getpgid(child.pid()) != child.pid()) {
            return failed("setpgid of a child");
        }
        if (killpg(child.pid(), SIGKILL) != 0) {
            return failed("kill of a group");
        }
        return wait_id(P_PGID, child, WEXITED, CLD_KILLED, SIGKILL);
    }

    // A descriptor of it, which says at first that there is nothing to wait for yet.
    const char* by_descriptor() {
        const Child& child = children_[5];
        const int fd = static_cast<int>(syscall(SYS_pidfd_open, child.pid(), PIDFD_NONBLOCK));
        siginfo_t info = {};
        if (fd < 0) {
            return failed("pidfd_open");
        }
        const auto id = static_cast<id_t>(fd);
        if (waitid(P_PIDFD, id, &info, WEXITED) != -1 || errno != EAGAIN) {
            return failed("a wait by the descriptor of a child that lives");
        }
        const char* wrong = child.burn();
        struct pollfd end = {fd, POLLIN, 0};
        if (wrong == nullptr && poll(&end, 1, -1) != 1) {
            wrong = failed("poll for the end of a child");
        }
        if (wrong == nullptr && waitid(P_PIDFD, id, &info, WEXITED) != 0) {
            wrong = failed("waitid by a descriptor");
        }
        wrong = wrong != nullptr ? wrong : told_of(info, child.pid(), CLD_EXITED, exit_status);
        if (wrong == nullptr && (waitid(P_PIDFD, id, &info, WEXITED) != -1 || errno != ECHILD)) {
            wrong = failed("a second wait by a descriptor");
        }
        return close(fd) != 0 && wrong == nullptr ? failed("close") : wrong;
    }

    static inline siginfo_t heard_;
    static inline volatile sig_atomic_t told_;
    Child children_[6];
};

const mosrig::guest::KindOf<Waits> waits("waits");

}  // namespace
