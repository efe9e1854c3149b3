// SPDX-License-Identifier: MIT
#include "harness/base/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "harness/base/fd.h"
#include "harness/base/pointers.h"

extern char** environ;

namespace mosrig {

namespace {

struct SpawnPlan {
    int in = -1;
    int out = -1;
    int err = -1;
    bool daemon = false;  // in a session of its own, and in no folder that could be in the way
};

// Starts argv; everything that can fail is known here, through the spawn's own return value.
Result<pid_t> spawn(const std::vector<std::string>& argv, const SpawnPlan& plan,
                    const std::vector<std::string>& added_environment) {
    if (argv.empty()) {
        return usage_error("an empty command cannot be run");
    }
    std::vector<std::string> arguments = argv;
    std::vector<std::string> environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::string_view name = text.substr(0, text.find('=') + 1);
        bool replaced = false;
        for (const std::string& added : added_environment) {
            replaced = replaced || std::string_view(added).substr(0, name.size()) == name;
        }
        if (!replaced) {
            environment.emplace_back(text);
        }
    }
    environment.insert(environment.end(), added_environment.begin(), added_environment.end());

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, plan.in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, plan.out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, plan.err, STDERR_FILENO);
    // What our caller left open is not for a daemon to keep: the lock of a shell's flock, say.
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (plan.daemon) {
        posix_spawn_file_actions_addchdir_np(&actions, "/");
        flags = static_cast<short>(flags | POSIX_SPAWN_SETSID);
    } else {
        // Its own group, so that the deadline can end its children with it.
        posix_spawnattr_setpgroup(&attributes, 0);
        flags = static_cast<short>(flags | POSIX_SPAWN_SETPGROUP);
    }
    posix_spawnattr_setflags(&attributes, flags);

    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes,
                                     pointers(arguments).data(), pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        return errno_error(fmt::format("cannot run {}", argv[0]), error,
                           error == ENOENT ? fmt::format("install the package that has {}, or run "
                                                         "`make deps`",
                                                         argv[0])
                                           : "");
    }
    return pid;
}

int shell_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// Reads what is there. False at the end of the file.
bool drain(int fd, std::string& into) {
    std::array<char, 65536> buffer{};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    into.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0;
}

// A child that is killed and reaped unless it was waited for.
class Child {
  public:
    explicit Child(pid_t pid)
        : pid_(pid), handle_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (!status_) {
            ::kill(-pid_, SIGKILL);
            reap(0);
        }
    }
    [[nodiscard]] int handle() const { return handle_.get(); }
    [[nodiscard]] const std::optional<int>& status() const { return status_; }
    void reap(int flags) {
        int raw = 0;
        pid_t got = 0;
        do {
            got = ::waitpid(pid_, &raw, flags);
        } while (got < 0 && errno == EINTR);
        if (got == pid_) {
            status_ = shell_status(raw);
        }
    }

  private:
    pid_t pid_;
    Fd handle_;
    std::optional<int> status_;
};

}  // namespace

Result<CommandResult> run_subprocess(const std::vector<std::string>& argv, const Deadline& deadline,
                                     const std::vector<std::string>& added_environment) {
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) {
        return errno_error("cannot open /dev/null", errno);
    }
    MOSRIG_TRY(Pipe out, make_pipe());
    MOSRIG_TRY(Pipe err, make_pipe());
    MOSRIG_TRY(const pid_t pid,
               spawn(argv, {null.get(), out.write_end.get(), err.write_end.get(), false},
                     added_environment));
    Child child(pid);
    out.write_end.reset();
    err.write_end.reset();
    MOSRIG_CHECK(set_nonblocking(out.read_end.get()));
    MOSRIG_CHECK(set_nonblocking(err.read_end.get()));

    CommandResult result;
    // A child of the command may keep the pipes: its end counts, and what is in the pipes by then.
    while (!child.status() || out.read_end || err.read_end) {
        std::array<pollfd, 3> fds{{{out.read_end.get(), POLLIN, 0},
                                   {err.read_end.get(), POLLIN, 0},
                                   {child.status() ? -1 : child.handle(), POLLIN, 0}}};
        const int ready =
            ::poll(fds.data(), fds.size(), child.status() ? 0 : deadline.poll_timeout());
        if (ready == 0 && child.status()) {
            break;
        }
        if (ready == 0 && deadline.expired()) {
            return deadline.error(fmt::format("{} was killed; its last words: {}", argv[0],
                                              result.err.empty() ? "none" : result.err));
        }
        if (fds[0].revents != 0 && !drain(out.read_end.get(), result.out)) {
            out.read_end.reset();
        }
        if (fds[1].revents != 0 && !drain(err.read_end.get(), result.err)) {
            err.read_end.reset();
        }
        if (fds[2].revents != 0) {
            child.reap(WNOHANG);
        }
    }
    result.status = child.status().value_or(255);
    return result;
}

Result<pid_t> start_daemon(const std::vector<std::string>& argv, const std::filesystem::path& log) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const Fd errors(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!null || !errors) {
        return errno_error(fmt::format("cannot open {}", log.string()), errno);
    }
    return spawn(argv, {null.get(), null.get(), errors.get(), true}, {});
}

}  // namespace mosrig
