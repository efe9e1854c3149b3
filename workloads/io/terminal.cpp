// SPDX-License-Identifier: MIT
//
// A pseudo-terminal: its line discipline, and job control of a session that has it for its
// terminal. The rig talks to the one who sits before the terminal.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

// Both ends; where there is no file system of terminals mounted, it is.
class Terminal : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0 ||
            ptsname_r(master_, name_, sizeof name_) != 0) {
            return "this node has no pseudo-terminals";
        }
        return nullptr;
    }

  protected:
    [[nodiscard]] int master() const { return master_; }
    [[nodiscard]] const char* slave_name() const { return name_; }

    // Reads from the terminal until `wanted` has come, and drops what stands before its end; false
    // if it does not come within some seconds.
    bool await(const char* wanted) {
        const char* found = strstr(seen_, wanted);
        for (; found == nullptr; found = strstr(seen_, wanted)) {
            struct pollfd ready = {master_, POLLIN, 0};
            if (poll(&ready, 1, 20000) != 1 || filled_ == sizeof seen_ - 1) {
                return false;
            }
            const ssize_t count = read(master_, seen_ + filled_, sizeof seen_ - 1 - filled_);
            if (count <= 0) {
                return false;
            }
            filled_ += static_cast<size_t>(count);
            seen_[filled_] = '\0';
        }
        const size_t used = static_cast<size_t>(found - seen_) + strlen(wanted);
        filled_ -= used;
        memmove(seen_, seen_ + used, filled_ + 1);
        return true;
    }

  private:
    int master_ = -1;
    char name_[64] = {};
    char seen_[1024] = {};
    size_t filled_ = 0;
};

// One process has both ends, and plays with the settings.
class Discipline final : public Terminal {
  public:
    using Terminal::Terminal;

    const char* hold() override {
        if (const char* wrong = Terminal::hold(); wrong != nullptr) {
            return wrong;
        }
        slave_ = open(slave_name(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        return slave_ < 0 ? failed("open of the terminal") : nullptr;
    }

  protected:
    const char* step() override {
        char line[64] = {};
        // Erased by the line discipline before anybody reads it, and echoed.
        if (write(master(), "wrong\x15right\n", 12) != 12 || read(slave_, line, sizeof line) != 6 ||
            strcmp(line, "right\n") != 0) {
            return failed("a line");
        }
        if (!await("right\r\n")) {
            return "the echo";
        }
        struct termios settings = {};
        if (tcgetattr(slave_, &settings) != 0) {
            return failed("tcgetattr");
        }
        settings.c_lflag ^= ECHO;
        if (tcsetattr(slave_, TCSANOW, &settings) != 0) {
            return failed("tcsetattr");
        }
        const bool silent = (settings.c_lflag & ECHO) == 0;
        if (silent) {
            if (write(master(), "quiet\n", 6) != 6 || read(slave_, line, sizeof line) != 6) {
                return failed("a line without echo");
            }
            int waiting = 0;
            if (ioctl(master(), FIONREAD, &waiting) != 0 || waiting != 0) {
                return differs("echo that was off", waiting, 0);
            }
            settings.c_lflag |= ECHO;
            if (tcsetattr(slave_, TCSANOW, &settings) != 0) {
                return failed("tcsetattr");
            }
        }
        struct winsize size = {static_cast<unsigned short>(++turn_), 80, 0, 0};
        if (ioctl(master(), TIOCSWINSZ, &size) != 0 || ioctl(slave_, TIOCGWINSZ, &size) != 0) {
            return failed("TIOCSWINSZ");
        }
        return size.ws_row != turn_ ? differs("rows", size.ws_row, turn_) : nullptr;
    }

  private:
    int slave_ = -1;
    unsigned short turn_ = 0;
};

// A session of its own on the terminal: a leader that behaves as a shell, and its job, in turn in
// the foreground. Control characters at the terminal become signals of the job, wherever it runs.
class Jobs final : public Terminal {
  public:
    using Terminal::Terminal;
    ~Jobs() override {
        if (child_ > 0) {
            (void)kill(child_, SIGKILL);
            (void)waitpid(child_, nullptr, 0);
        }
    }

    const char* hold() override {
        if (const char* wrong = Terminal::hold(); wrong != nullptr) {
            return wrong;
        }
        child_ = fork();
        if (child_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            lead();
        }
        return child_ < 0 || !await("prompt") ? failed("the session") : nullptr;
    }

  protected:
    // The job answers, is stopped by ^Z, goes on, is ended by ^C; the leader says what it saw.
    const char* step() override {
        if (!type("job\n") || !await("job runs")) {
            return "the job does not begin";
        }
        if (!type("hello\n") || !await("job heard hello")) {
            return "the job does not hear";
        }
        if (!type("\x1a") || !await("job stopped")) {
            return "^Z does not stop the job";
        }
        if (!type("fg\n") || !await("job goes on")) {
            return "the job does not go on";
        }
        if (!type("\x03") || !await("job ended by 2")) {
            return "^C does not end the job";
        }
        return await("prompt") ? nullptr : "the leader does not come back";
    }

  private:
    bool type(const char* text) { return mosrig::guest::write_all(master(), text, strlen(text)); }

    static void tell(const char* text) {
        (void)mosrig::guest::write_all(STDOUT_FILENO, text, strlen(text));
    }

    static bool line_is(const char* wanted) {
        char line[64] = {};
        const ssize_t count = read(STDIN_FILENO, line, sizeof line - 1);
        return count > 0 && strcmp(line, wanted) == 0;
    }

    [[noreturn]] void lead() {
        (void)setsid();
        const int slave = open(slave_name(), O_RDWR);
        if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0) {
            _exit(1);
        }
        for (int fd = 0; fd < 3; ++fd) {
            (void)dup2(slave, fd);
        }
        (void)signal(SIGTTOU, SIG_IGN);
        for (;;) {
            tell("prompt\n");
            if (!line_is("job\n") || !run_job()) {
                _exit(2);
            }
        }
    }

    static bool run_job() {
        const pid_t job = fork();
        if (job == 0) {
            be_job();
        }
        (void)setpgid(job, job);
        if (job < 0 || tcsetpgrp(STDIN_FILENO, job) != 0) {
            return false;
        }
        int status = 0;
        if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) ||
            WSTOPSIG(status) != SIGTSTP || tcsetpgrp(STDIN_FILENO, getpgrp()) != 0) {
            return false;
        }
        tell("job stopped\n");
        if (!line_is("fg\n") || tcsetpgrp(STDIN_FILENO, job) != 0 || kill(-job, SIGCONT) != 0 ||
            waitpid(job, &status, 0) != job || tcsetpgrp(STDIN_FILENO, getpgrp()) != 0) {
            return false;
        }
        char text[32];
        (void)snprintf(text, sizeof text, "job ended by %d\n",
                       WIFSIGNALED(status) ? WTERMSIG(status) : -1);
        tell(text);
        return true;
    }

    [[noreturn]] static void be_job() {
        (void)setpgid(0, 0);
        // Whoever started this may have run it in the background, without them.
        (void)signal(SIGINT, SIG_DFL);
        (void)signal(SIGTSTP, SIG_DFL);
        (void)signal(SIGTTOU, SIG_IGN);
        (void)tcsetpgrp(STDIN_FILENO, getpid());
        (void)signal(SIGCONT, [](int /*signal*/) { tell("job goes on\n"); });
        tell("job runs\n");
        if (line_is("hello\n")) {
            tell("job heard hello\n");
        }
        for (;;) {
            (void)pause();
        }
    }

    pid_t child_ = -1;
};

const KindOf<Discipline> discipline("terminal");
const KindOf<Jobs> jobs("jobs");

}  // namespace
