// SPDX-License-Identifier: MIT
//
// Children that come and go: what they inherit, how they end, and what their parent learns of it.
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/await.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

// Each way for a child to end, and each way to wait for it.
class Forks final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        mosrig::guest::fill_bytes(memory_, sizeof memory_, 5);
        return nullptr;
    }

  protected:
    const char* step() override {
        const char* wrong = exits();
        wrong = wrong != nullptr ? wrong : killed();
        wrong = wrong != nullptr ? wrong : by_waitid();
        return wrong != nullptr ? wrong : nobody();
    }

    const char* check() override {
        return mosrig::guest::same_bytes(memory_, sizeof memory_, 5) ? nullptr
                                                                     : "a child wrote our memory";
    }

  private:
    // The child looks at where it is, and at its copy of our memory, and writes all over that.
    [[noreturn]] void be_child(int status) {
        const bool same = mosrig::guest::same_bytes(memory_, sizeof memory_, 5);
        char where[16] = {};
        memset(memory_, 0xEE, sizeof memory_);
        if (mosrig::guest::read_text("/proc/self/where", where, sizeof where) == 0 ||
            strcmp(where, "0\n") != 0) {
            _exit(status_elsewhere);
        }
        _exit(same ? status : status_changed);
    }

    const char* exits() {
        const int wanted = ++turn_ % 100;
        const pid_t child = fork();
        if (child == 0) {
            be_child(wanted);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child) {
            return failed("fork, waitpid");
        }
        return !WIFEXITED(status) || WEXITSTATUS(status) != wanted
                   ? differs("status of a child", status, wanted << 8)
                   : nullptr;
    }

    const char* killed() {
        const pid_t child = fork();
        if (child == 0) {
            for (;;) {
                (void)pause();
            }
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, WNOHANG) != 0 || kill(child, SIGTERM) != 0 ||
            waitpid(-1, &status, 0) != child) {
            return failed("fork, kill, waitpid");
        }
        return !WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM
                   ? differs("status of a killed child", status, SIGTERM)
                   : nullptr;
    }

    const char* by_waitid() {
        const pid_t child = fork();
        if (child == 0) {
            be_child(7);
        }
        siginfo_t info = {};
        if (child < 0 || waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0 ||
            waitid(P_ALL, 0, &info, WEXITED) != 0) {
            return failed("fork, waitid");
        }
        return info.si_pid != child || info.si_code != CLD_EXITED || info.si_status != 7
                   ? differs("what waitid says", info.si_status, 7)
                   : nullptr;
    }

    static const char* nobody() {
        return waitpid(-1, nullptr, 0) != -1 || errno != ECHILD ? failed("wait for nobody")
                                                                : nullptr;
    }

    // Of a child that did not begin at home, or with another memory; no other child ends so.
    static constexpr int status_elsewhere = 112;
    static constexpr int status_changed = 111;

    unsigned char memory_[65536] = {};
    int turn_ = 0;
};

// Children by the calls that the C library's fork() no longer makes, and other programs by
// posix_spawn, system() and popen(), each at a word of its own. The first child that it makes
// brings a process home, so of several in a row all others would be made there.
class Programs final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return nullptr; }

    bool command(const char* word) override {
        constexpr mosrig::guest::Part ways[] = {{"FORK", forked},
                                                {"VFORK", lent},
                                                {"SPAWN", spawned},
                                                {"SYSTEM", by_system},
                                                {"POPEN", piped}};
        return mosrig::guest::answer_part(ways, word) || Holder::command(word);
    }

  private:
    static bool at_home() {
        char where[16] = {};
        return mosrig::guest::read_text("/proc/self/where", where, sizeof where) > 0 &&
               strcmp(where, "0\n") == 0;
    }

    static const char* ends_with(pid_t child, int wanted) {
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child) {
            return failed("a child, waitpid");
        }
        return status != wanted << 8 ? differs("status of a child", status, wanted << 8) : nullptr;
    }

    // The child has what the process wrote away, and what it writes is its own.
    static const char* forked() {
        static unsigned char bytes[3 * 4096];
        static unsigned turn = 0;
        mosrig::guest::fill_bytes(bytes, sizeof bytes, ++turn);
        const auto child = static_cast<pid_t>(syscall(SYS_fork));
        if (child == 0) {
            const bool same = mosrig::guest::same_bytes(bytes, sizeof bytes, turn);
            memset(bytes, 0xEE, sizeof bytes);
            _exit(same && at_home() ? 6 : 1);
        }
        if (const char* wrong = ends_with(child, 6); wrong != nullptr) {
            return wrong;
        }
        return mosrig::guest::same_bytes(bytes, sizeof bytes, turn) ? nullptr
                                                                    : "a child wrote our memory";
    }

    // The child has the process's own memory, until it is another program; the process waits.
    static const char* lent() {
        static volatile int written;
        char shell[] = "sh";
        char option[] = "-c";
        char text[] = "exit 8";
        char* const arguments[] = {shell, option, text, nullptr};
        written = 0;
        const pid_t child = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
        if (child == 0) {
            written = 1;
            (void)execve("/bin/sh", arguments, environ);
            _exit(1);
        }
        const char* const wrong = ends_with(child, 8);
        return wrong == nullptr && written != 1 ? "what a child wrote before it was another program"
                                                : wrong;
    }

    static const char* spawned() {
        char shell[] = "sh";
        char option[] = "-c";
        char text[] = "exit 9";
        char* arguments[] = {shell, option, text, nullptr};
        pid_t child = 0;
        int status = 0;
        if (posix_spawnp(&child, "sh", nullptr, nullptr, arguments, environ) != 0 ||
            waitpid(child, &status, 0) != child) {
            return failed("posix_spawn, waitpid");
        }
        return !WIFEXITED(status) || WEXITSTATUS(status) != 9
                   ? differs("status of a program", status, 9 << 8)
                   : nullptr;
    }

    // What the call sets aside meanwhile, partly before it comes home, is as it was.
    static const char* by_system() {
        struct sigaction before = {};
        struct sigaction after = {};
        sigset_t blocked_before;
        sigset_t blocked_after;
        if (sigaction(SIGINT, nullptr, &before) != 0 ||
            sigprocmask(SIG_BLOCK, nullptr, &blocked_before) != 0) {
            return failed("sigaction, sigprocmask");
        }
        const int status = system("exit 4");  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 4) {
            return differs("status of system()", status, 4 << 8);
        }
        if (sigaction(SIGINT, nullptr, &after) != 0 ||
            sigprocmask(SIG_BLOCK, nullptr, &blocked_after) != 0) {
            return failed("sigaction, sigprocmask");
        }
        return after.sa_handler != before.sa_handler ||
                       sigismember(&blocked_after, SIGCHLD) != sigismember(&blocked_before, SIGCHLD)
                   ? "what system() made of SIGINT and SIGCHLD"
                   : nullptr;
    }

    static const char* piped() {
        char line[64] = {};
        // NOLINTNEXTLINE(cert-env33-c,cppcoreguidelines-owning-memory)
        FILE* output = popen("echo one; echo two", "r");
        if (output == nullptr) {
            return failed("popen");
        }
        const size_t count = fread(line, 1, sizeof line - 1, output);
        const int status = pclose(output);
        return count != 8 || strcmp(line, "one\ntwo\n") != 0 || status != 0
                   ? differs("what popen() gave", static_cast<long long>(count), 8)
                   : nullptr;
    }
};

// A grandchild whose parent has ended, taken up by us, since we asked for that.
class Orphans final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 ? failed("subreaper") : nullptr;
    }

  protected:
    const char* step() override {
        int said[2];
        if (pipe(said) != 0) {
            return failed("pipe");
        }
        const pid_t child = fork();
        if (child == 0) {
            be_parent(said[1]);
        }
        (void)close(said[1]);
        int status = 0;
        pid_t orphan = 0;
        pid_t sees = 0;
        const bool heard = child > 0 && waitpid(child, &status, 0) == child &&
                           mosrig::guest::read_all(said[0], &orphan, sizeof orphan) &&
                           mosrig::guest::read_all(said[0], &sees, sizeof sees);
        (void)close(said[0]);
        if (!heard) {
            return failed("the orphan's words");
        }
        if (sees != getpid()) {
            return differs("the orphan's parent", sees, getpid());
        }
        return waitpid(orphan, &status, 0) != orphan || WEXITSTATUS(status) != 3
                   ? differs("status of the orphan", status, 3 << 8)
                   : nullptr;
    }

  private:
    [[noreturn]] static void be_parent(int out) {
        const pid_t parent = getpid();
        if (fork() == 0) {
            (void)mosrig::guest::await([parent] { return getppid() != parent; });
            const pid_t pids[2] = {getpid(), getppid()};
            _exit(mosrig::guest::write_all(out, pids, sizeof pids) ? 3 : 4);
        }
        _exit(0);
    }
};

// Process groups and sessions.
class Groups final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        session_ = getsid(0);
        group_ = getpgrp();
        return nullptr;
    }

  protected:
    const char* step() override {
        if (getsid(0) != session_ || getpgid(0) != group_) {
            return differs("session", getsid(0), session_);
        }
        const pid_t child = fork();
        if (child == 0) {
            for (;;) {
                (void)pause();
            }
        }
        if (child < 0 || setpgid(child, child) != 0 || getpgid(child) != child) {
            return failed("setpgid of a child");
        }
        int status = 0;
        if (killpg(child, SIGUSR2) != 0 || waitpid(-child, &status, 0) != child ||
            WTERMSIG(status) != SIGUSR2) {
            return differs("status of a group's member", status, SIGUSR2);
        }
        const pid_t leader = fork();
        if (leader == 0) {
            _exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid() ? 0 : 1);
        }
        return waitpid(leader, &status, 0) != leader || status != 0
                   ? differs("status of a session's leader", status, 0)
                   : nullptr;
    }

  private:
    pid_t session_ = 0;
    pid_t group_ = 0;
};

const KindOf<Forks> forks("forks");
const KindOf<Programs> programs("programs");
const KindOf<Orphans> orphans("orphans");
const KindOf<Groups> groups("groups");

}  // namespace
