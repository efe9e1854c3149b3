// SPDX-License-Identifier: MIT
#include "harness/base/interruptible.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "harness/base/fd.h"

namespace mosrig {

namespace {

// Blocks the signals that ask a process to end, as long as it lives.
class EndSignals {
  public:
    EndSignals() {
        sigemptyset(&set_);
        for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
            sigaddset(&set_, number);
        }
        ::sigprocmask(SIG_BLOCK, &set_, &before_);
        pending_ = Fd(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    ~EndSignals() { restore(); }
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

    void restore() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    [[nodiscard]] int fd() const { return pending_.get(); }
    // Takes one that has come; 0 if none has.
    [[nodiscard]] int take() const {
        struct signalfd_siginfo info = {};
        return ::read(pending_.get(), &info, sizeof info) == sizeof info
                   ? static_cast<int>(info.ssi_signo)
                   : 0;
    }

  private:
    sigset_t set_ = {};
    sigset_t before_ = {};
    Fd pending_;
};

}  // namespace

Result<WorkEnd> run_interruptible(const std::function<int()>& work) {
    const EndSignals signals;
    (void)std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child < 0) {
        return errno_error("cannot start a process for the work", errno);
    }
    if (child == 0) {
        // A group of its own: what it starts is stopped with it, and a terminal's Ctrl-C reaches
        // it through its parent only.
        (void)::setpgid(0, 0);
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        signals.restore();
        const int status = work();
        (void)std::fflush(nullptr);
        ::_exit(status);
    }
    // Whoever of the two comes first.
    (void)::setpgid(child, child);
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    WorkEnd end;
    for (;;) {
        struct pollfd events[] = {{handle.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
        if (::poll(events, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        if ((events[0].revents & POLLIN) != 0) {
            break;
        }
        if (const int signal = signals.take(); signal != 0) {
            // The second time it is asked, there is no more patience.
            (void)::kill(-child, end.stopped ? SIGKILL : signal);
            end.stopped = true;
        }
    }
    int status = 0;
    (void)::waitpid(child, &status, 0);
    end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return end;
}

}  // namespace mosrig
