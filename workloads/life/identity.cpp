// SPDX-License-Identifier: MIT
//
// Who a process is and what it may: users, limits, mask, folder, priority, names.
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/successor.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::now_ns;
using mosrig::guest::write_text;

// As a setuid program has it: the real user is another than the effective one. It becomes its user
// for a moment only when asked, since the rig looks at who it is at any other time.
class Users final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        const gid_t groups[] = {5, 77, 1234};
        if (setgroups(3, groups) != 0 || setresgid(10, 20, 30) != 0 || setresuid(1000, 0, 0) != 0) {
            return failed("setresuid");
        }
        return nullptr;
    }

  protected:
    const char* check() override {
        uid_t user[3] = {};
        gid_t group[3] = {};
        gid_t groups[8] = {};
        if (getresuid(&user[0], &user[1], &user[2]) != 0 || user[0] != 1000 || user[1] != 0 ||
            user[2] != 0) {
            return differs("real user", user[0], 1000);
        }
        if (getresgid(&group[0], &group[1], &group[2]) != 0 || group[0] != 10 || group[1] != 20 ||
            group[2] != 30) {
            return differs("effective group", group[1], 20);
        }
        if (getgroups(8, groups) != 3 || groups[2] != 1234) {
            return differs("third group", groups[2], 1234);
        }
        // There and back, as such a program does around what it does for its user.
        if (seteuid(1000) != 0 || geteuid() != 1000 || setuid(77) == 0 || errno != EPERM) {
            return failed("seteuid");
        }
        return seteuid(0) != 0 || geteuid() != 0 ? failed("seteuid back") : nullptr;
    }
};

// Installed setuid root, and started by an ordinary user, or by a program of his.
class Setuid final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return check(); }

  protected:
    const char* check() override {
        uid_t user[3] = {};
        if (getresuid(&user[0], &user[1], &user[2]) != 0 || user[0] != 1000 || user[1] != 0) {
            return differs("effective user", user[1], 0);
        }
        if (getauxval(AT_SECURE) != 1 || prctl(PR_GET_DUMPABLE) != 0) {
            return differs("dumpable", prctl(PR_GET_DUMPABLE), 0);
        }
        if (const char* wrong = step(); wrong != nullptr) {
            return wrong;
        }
        // What its user may not, it may not either without its rights.
        if (seteuid(1000) != 0) {
            return failed("seteuid");
        }
        const int fd = open(secret, O_RDONLY | O_CLOEXEC);
        const int error = errno;
        if (fd >= 0 || error != EACCES) {
            return differs("errno without rights", fd >= 0 ? 0 : error, EACCES);
        }
        return seteuid(0) != 0 ? failed("seteuid back") : nullptr;
    }

    const char* step() override {
        const int fd = open(secret, O_RDONLY | O_CLOEXEC);
        return fd < 0 || close(fd) != 0 ? failed("open with rights") : nullptr;
    }

  private:
    static constexpr const char* secret = "/etc/shadow";
};

// An ordinary user's program, which becomes that one where it is told to.
class BecomesSetuid final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        return geteuid() == 0 || getauxval(AT_SECURE) != 0 ? "it has rights already" : nullptr;
    }
    bool command(const char* word) override {
        if (strcmp(word, "EXEC") != 0) {
            return Holder::command(word);
        }
        (void)execl("/var/tmp/mosrig-setuid", "life", "setuid", nullptr);
        mosrig::guest::answer(failed("execl"));
        return true;
    }
};

class Limits final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        const struct rlimit limit = {4321, 8765};
        (void)umask(027);
        errno = 0;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || chdir("/usr") != 0 ||
            prctl(PR_SET_NAME, "a new name") != 0 || nice(3) == -1) {
            return failed("setrlimit, chdir, prctl, nice");
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        struct rlimit limit = {};
        char text[256] = {};
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur != 4321 + turn_) {
            return differs("limit", static_cast<long long>(limit.rlim_cur),
                           static_cast<long long>(turn_) + 4321);
        }
        ++turn_;
        limit.rlim_cur = 4321 + turn_;
        if (prlimit(0, RLIMIT_NOFILE, &limit, nullptr) != 0) {
            return failed("prlimit");
        }
        const mode_t mask = umask(027);
        if (mask != 027) {
            return differs("umask", mask, 027);
        }
        if (getcwd(text, sizeof text) == nullptr || strcmp(text, "/usr") != 0) {
            return failed("getcwd");
        }
        if (prctl(PR_GET_NAME, text) != 0 || strcmp(text, "a new name") != 0) {
            return failed("PR_GET_NAME");
        }
        const int priority = getpriority(PRIO_PROCESS, 0);
        return priority != 3 ? differs("priority", priority, 3) : nullptr;
    }

  private:
    rlim_t turn_ = 0;
};

// Namespaces of its own: another host name, a network with nothing but a loopback, a file and a
// semaphore that nobody else sees.
class Spaces final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        if (unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS) != 0 ||
            sethostname("inside", 6) != 0) {
            return failed("unshare");
        }
        if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("none", "/mnt", "tmpfs", 0, nullptr) != 0 || mkdir("/mnt/inside", 0700) != 0 ||
            semget(key, 1, IPC_CREAT | IPC_EXCL | 0600) < 0) {
            return failed("a file and a semaphore inside");
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        char name[64] = {};
        if (gethostname(name, sizeof name) != 0 || strcmp(name, "inside") != 0) {
            return failed("gethostname");
        }
        if (access("/mnt/inside", F_OK) != 0 || semget(key, 1, 0) < 0) {
            return failed("a file and a semaphore inside");
        }
        return if_nametoindex("eth0") != 0 || if_nametoindex("lo") == 0 ? "the network is another's"
                                                                        : nullptr;
    }

  private:
    static constexpr key_t key = 0x6d6f7372;
};

// A user namespace: root is a plain user with plain rights there, and nobody else of home has a
// name.
class OtherUsers final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        if (unshare(CLONE_NEWUSER) != 0 || !write_text("/proc/self/setgroups", "deny") ||
            !write_text("/proc/self/gid_map", "6000 0 1") ||
            !write_text("/proc/self/uid_map", "5000 0 1")) {
            return failed("a user namespace");
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        if (getuid() != user || geteuid() != user) {
            return differs("its user", getuid(), user);
        }
        if (getgid() != group || getegid() != group) {
            return differs("its group", getgid(), group);
        }
        struct stat root = {};
        if (stat("/", &root) != 0 || root.st_uid != user || root.st_gid != group) {
            return differs("whose / is", root.st_uid, user);
        }
        if (setuid(0) == 0 || errno != EINVAL) {
            return failed("a user of home's, by its number there");
        }
        // It has the right to do that in its namespace only; nothing would change.
        return syscall(SYS_settimeofday, nullptr, nullptr) == 0 || errno != EPERM
                   ? failed("a right over its home")
                   : nullptr;
    }

  private:
    static constexpr uid_t user = 5000;
    static constexpr gid_t group = 6000;
};

// A control group that is the root of a namespace of such. Whoever made that takes it away.
class OwnControlGroup final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("none", "/mnt", "cgroup2", 0, nullptr) != 0 ||
            (mkdir(folder, 0755) != 0 && errno != EEXIST)) {
            return failed("a control group");
        }
        const pid_t child = fork();
        if (child > 0) {
            (void)waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED | WNOWAIT);
            (void)rmdir(folder);
        }
        if (child < 0) {
            return failed("fork");
        }
        mosrig::guest::go_on_as_child(child);
        if (!write_text("/mnt/mosrig/cgroup.procs", "0") || !is_in("0::/mosrig\n") ||
            unshare(CLONE_NEWCGROUP) != 0) {
            return failed("the way into a control group");
        }
        return step();
    }

  protected:
    const char* step() override { return is_in("0::/\n") ? nullptr : "its control group"; }

  private:
    static constexpr const char* folder = "/mnt/mosrig";

    static bool is_in(const char* line) {
        char text[1024] = {};
        (void)mosrig::guest::read_text("/proc/self/cgroup", text, sizeof text);
        return strstr(text, line) != nullptr;
    }
};

// Process 1 of a name space of processes, which is what talks to the rig, and a child of it.
class FirstProcess final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        if (unshare(CLONE_NEWPID) != 0) {
            return failed("unshare");
        }
        return mosrig::guest::go_on_in_child() ? nullptr : failed("fork");
    }

  protected:
    const char* step() override {
        if (getpid() != 1) {
            return differs("pid inside", getpid(), 1);
        }
        const pid_t child = fork();
        if (child == 0) {
            _exit(getppid() == 1 ? 0 : 1);
        }
        int status = 0;
        if (child <= 1 || waitpid(child, &status, 0) != child || status != 0) {
            return differs("status of a child inside", status, 0);
        }
        return kill(child, 0) == 0 || errno != ESRCH ? failed("a dead child") : nullptr;
    }
};

// A process whose monotonic clock is a day and more ahead of its node's.
class AheadOfTime final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        last_ = now_ns() + ahead;
        if (unshare(CLONE_NEWTIME) != 0) {
            return failed("unshare");
        }
        const int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
        const char offset[] = "monotonic 100000 0\n";
        if (fd < 0 || write(fd, offset, sizeof offset - 1) != sizeof offset - 1) {
            return failed("an offset");
        }
        (void)close(fd);
        return mosrig::guest::go_on_in_child() ? nullptr : failed("fork");
    }

  protected:
    const char* step() override {
        for (const bool by_call : {false, true, false}) {
            const int64_t now = by_call ? now_by_call() : now_ns();
            if (now < last_ || now > last_ + an_hour) {
                return differs("nanoseconds of its clock", now, last_);
            }
            last_ = now;
        }
        const int64_t until = last_ + 20000000;
        const struct timespec end = {static_cast<time_t>(until / second),
                                     static_cast<long>(until % second)};
        if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) != 0) {
            return "a sleep to a moment of its clock fails";
        }
        last_ = now_ns();
        return last_ < until || last_ > until + an_hour
                   ? differs("nanoseconds after the sleep", last_, until)
                   : nullptr;
    }

  private:
    static constexpr int64_t second = 1000000000;
    static constexpr int64_t ahead = 100000 * second;
    static constexpr int64_t an_hour = 3600 * second;

    static int64_t now_by_call() {
        struct timespec now = {};
        (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
        return now.tv_sec * second + now.tv_nsec;
    }

    int64_t last_ = 0;
};

const KindOf<Users> users("users");
const KindOf<Setuid> setuid_program("setuid");
const KindOf<BecomesSetuid> becomes_setuid("becomes-setuid");
const KindOf<Limits> limits("limits");
const KindOf<Spaces> spaces("namespaces");
const KindOf<OtherUsers> other_users("user-namespace");
const KindOf<OwnControlGroup> own_control_group("cgroup-namespace");
const KindOf<FirstProcess> first_process("pid-namespace");
const KindOf<AheadOfTime> ahead_of_time("time-namespace");

}  // namespace
