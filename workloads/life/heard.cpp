// SPDX-License-Identifier: MIT
//
// What a parent at home hears of a child that is away, by each way to hear of it: the signal, a
// wait that tells in full, and a descriptor of the child. A child talks to the rig; when it has
// been told to end or to stop, its parent answers. It lets go on whom it has seen stopped, and
// makes another child in the place of one that has ended.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "told.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::told_of;

// What its parent is to hear of a child.
struct News {
    int code;
    int status;
};

class Heard final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const struct rlimit no_core = {0, 0};
        (void)sigemptyset(&of_child_);
        (void)sigaddset(&of_child_, SIGCHLD);
        if (setrlimit(RLIMIT_CORE, &no_core) != 0 ||
            sigprocmask(SIG_BLOCK, &of_child_, nullptr) != 0) {
            return failed("RLIMIT_CORE, SIGCHLD");
        }
        for (bool first = true;; first = false) {
            int said[2];
            if (pipe2(said, O_CLOEXEC) != 0) {
                return failed("pipe");
            }
            child_ = fork();
            if (child_ < 0) {
                return failed("fork");
            }
            said_ = said[child_ == 0 ? 1 : 0];
            (void)close(said[child_ == 0 ? 0 : 1]);
            if (child_ == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)sigprocmask(SIG_UNBLOCK, &of_child_, nullptr);
                if (!first) {
                    _exit(mosrig::guest::serve(*this, false));
                }
                return nullptr;
            }
            if (!attend()) {
                _exit(0);
            }
            (void)close(said_);
        }
    }

    bool command(const char* word) override {
        static const struct {
            const char* word;
            void (*act)();
            News news;
        } ways[] = {
            {"EXIT", [] { _exit(42); }, {CLD_EXITED, 42}},
            {"KILLED", [] { (void)kill(getpid(), SIGKILL); }, {CLD_KILLED, SIGKILL}},
            {"ABORTED", [] { abort(); }, {CLD_KILLED, SIGABRT}},
            {"STOPPED", [] { (void)kill(getpid(), SIGSTOP); }, {CLD_STOPPED, SIGSTOP}},
        };
        for (const auto& way : ways) {
            if (strcmp(way.word, word) == 0) {
                (void)mosrig::guest::write_all(said_, &way.news, sizeof way.news);
                way.act();
                return true;
            }
        }
        return Holder::command(word);
    }

  private:
    // Hears of a child until it has ended; false if nothing more is to come, since it has ended as
    // the rig ends it.
    [[nodiscard]] bool attend() const {
        const int fd = static_cast<int>(syscall(SYS_pidfd_open, child_, 0));
        News news = {CLD_STOPPED, 0};
        while (news.code == CLD_STOPPED) {
            if (!mosrig::guest::read_all(said_, &news, sizeof news)) {
                (void)waitpid(child_, nullptr, 0);
                return false;
            }
            const char* wrong = hear(fd, news);
            if (wrong == nullptr && news.code == CLD_STOPPED) {
                wrong = kill(child_, SIGCONT) != 0 ? failed("kill")
                                                   : hear(fd, {CLD_CONTINUED, SIGCONT});
            }
            mosrig::guest::answer(wrong);
        }
        (void)close(fd);
        return true;
    }

    // The descriptor tells of an end only; the signal is there once, and so is what a wait tells.
    [[nodiscard]] const char* hear(int fd, const News& news) const {
        const bool ends = news.code != CLD_STOPPED && news.code != CLD_CONTINUED;
        struct pollfd end = {fd, POLLIN, 0};
        if (ends && poll(&end, 1, patience_s * 1000) != 1) {
            return failed("poll for the end of a child");
        }
        siginfo_t info = {};
        const struct timespec patience = {patience_s, 0};
        if (sigtimedwait(&of_child_, &info, &patience) != SIGCHLD) {
            return failed("SIGCHLD");
        }
        if (const char* const wrong = told_of(info, child_, news.code, news.status);
            wrong != nullptr) {
            return wrong;
        }
        if (!ends && poll(&end, 1, 0) != 0) {
            return differs("events of a descriptor of one that lives", end.revents, 0);
        }
        const char* wrong = wait_for(fd, WNOWAIT, news);
        wrong = wrong != nullptr ? wrong : wait_for(fd, 0, news);
        if (wrong != nullptr) {
            return wrong;
        }
        const struct timespec none = {};
        return sigtimedwait(&of_child_, &info, &none) != -1 || errno != EAGAIN
                   ? "its parent is told of it twice"
                   : nullptr;
    }

    // It has been signalled, so there is nothing to wait for.
    [[nodiscard]] const char* wait_for(int fd, int options, const News& news) const {
        constexpr int all = WEXITED | WSTOPPED | WCONTINUED | WNOHANG;
        siginfo_t info = {};
        return waitid(P_PIDFD, static_cast<id_t>(fd), &info, all | options) != 0
                   ? failed("waitid")
                   : told_of(info, child_, news.code, news.status);
    }

    static constexpr int patience_s = 20;

    sigset_t of_child_ = {};
    pid_t child_ = 0;
    int said_ = -1;
};

const mosrig::guest::KindOf<Heard> heard("heard");

}  // namespace
