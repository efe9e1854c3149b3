// SPDX-License-Identifier: MIT
//
// Frozen by its control group for some seconds, while it computes without a call or sleeps in a
// read: until it is thawed it uses no CPU time, takes no signal and no bytes, and then both.
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "workloads/lib/await.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::await;
using mosrig::guest::await_computing;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ns;
using mosrig::guest::number_after;
using mosrig::guest::read_text;
using mosrig::guest::ticks_of;
using mosrig::guest::write_text;

constexpr int64_t second = 1000000000;
constexpr int64_t frozen_s = 3;

// Whether a signal has come to a process that has not taken it.
bool is_pending(pid_t pid, int signal) {
    char path[64];
    char text[4096] = {};
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    (void)read_text(path, text, sizeof text);
    const char* const pending = strstr(text, "ShdPnd:");
    return pending != nullptr &&
           ((strtoull(pending + strlen("ShdPnd:"), nullptr, 16) >> (signal - 1)) & 1) != 0;
}

// A control group with one process in it: of whoever makes this, who has a view of all groups that
// nobody else sees.
class Group {
  public:
    explicit Group(pid_t process) {
        (void)snprintf(process_, sizeof process_, "%d", process);
        made_ = has_view() && (mkdir(folder, 0755) == 0 || errno == EEXIST) && put(false) &&
                write_text("/mnt/mosrig-frozen/cgroup.procs", process_);
    }
    [[nodiscard]] bool made() const { return made_; }

    // The process leaves the group, thawed, and the group goes; nullptr or what failed.
    [[nodiscard]] const char* remove() const {
        const bool left = put(false) && write_text("/mnt/cgroup.procs", process_);
        return rmdir(folder) == 0 && left ? nullptr : "the control group does not go";
    }

    // Asks for it, and waits until the kernel says that it is so; nullptr or what is wrong.
    static const char* freeze(bool frozen) {
        if (!put(frozen)) {
            return "cgroup.freeze cannot be written";
        }
        if (await([&] { return is_frozen() == frozen; })) {
            return nullptr;
        }
        return frozen ? "the group does not freeze" : "the group does not thaw";
    }
    static bool is_frozen() {
        char text[256] = {};
        (void)read_text("/mnt/mosrig-frozen/cgroup.events", text, sizeof text);
        return number_after(text, "frozen ") == 1;
    }

  private:
    static constexpr const char* folder = "/mnt/mosrig-frozen";

    // Once: what is mounted goes with this process.
    static bool has_view() {
        static const bool mounted =
            unshare(CLONE_NEWNS) == 0 &&
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
            mount("none", "/mnt", "cgroup2", 0, nullptr) == 0;
        return mounted;
    }
    static bool put(bool frozen) {
        return write_text("/mnt/mosrig-frozen/cgroup.freeze", frozen ? "1" : "0");
    }

    char process_[16] = {};
    bool made_ = false;
};

// A son of this class says what it does while it is frozen.
class Frozen : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int signal) {
            volatile sig_atomic_t& count = signal == SIGUSR1 ? over_ : meanwhile_;
            count = count + 1;
        };
        action.sa_flags = SA_RESTART;
        if (sigaction(SIGUSR1, &action, nullptr) != 0 ||
            sigaction(SIGUSR2, &action, nullptr) != 0) {
            return failed("sigaction");
        }
        return helper_.start(freeze, freeze, this);
    }

  protected:
    // Of the process: what it does until it is over; nullptr, or what was wrong.
    virtual const char* be_frozen(mosrig::guest::Helper& helper) = 0;
    // Of the helper: waits until the process is at it; nullptr, or why not.
    virtual const char* await_begin(pid_t process) = 0;
    // Of the helper, while the process is frozen, at the beginning and at the end of that.
    virtual const char* begin_frozen() { return nullptr; }
    virtual const char* end_frozen() { return nullptr; }
    // Of the helper, once the process may go on, whatever was wrong before.
    virtual const char* await_end(pid_t process) = 0;

    const char* act() override {
        over_ = 0;
        meanwhile_ = 0;
        const int64_t begin = now_ns();
        const int64_t used = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        if (const char* const wrong = be_frozen(helper_); wrong != nullptr) {
            return wrong;
        }
        const int64_t more = now_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
        const int64_t passed = now_ns() - begin;
        if (meanwhile_ != 1) {
            return differs("signals that came while it was frozen", meanwhile_, 1);
        }
        if (passed < frozen_s * second) {
            return differs("ms that went by", passed / 1000000, frozen_s * 1000);
        }
        // It computes for some tenths of a second before and after.
        return more > frozen_s * second / 2
                   ? differs("ms of CPU time over a freeze", more / 1000000, 0)
                   : nullptr;
    }

    // Set by the signal that the helper sends at the very end, if it does.
    static inline volatile sig_atomic_t over_;

  private:
    // The helper's part. Whatever is wrong, the parent goes on.
    static const char* freeze(void* data) {
        auto* const self = static_cast<Frozen*>(data);
        const pid_t parent = getppid();
        const Group group(parent);
        // The text of a call that failed lasts until that of the next: what comes later has none.
        const char* wrong = group.made() ? self->await_begin(parent) : failed("a control group");
        wrong = wrong == nullptr ? Group::freeze(true) : wrong;
        wrong = wrong == nullptr ? self->look(parent) : wrong;
        const char* const frozen_still = group.made() ? Group::freeze(false) : nullptr;
        const char* const not_over = self->await_end(parent);
        const char* const not_gone = group.remove();
        for (const char* const later : {frozen_still, not_over, not_gone}) {
            wrong = wrong == nullptr ? later : wrong;
        }
        return kill(parent, SIGUSR1) != 0 ? "SIGUSR1 cannot be sent" : wrong;
    }

    // At a process that is frozen.
    const char* look(pid_t process) {
        // A signal has it look around for an instant, and freeze again.
        constexpr long an_instant = 5;
        const long before = ticks_of(process);
        if (kill(process, SIGUSR2) != 0) {
            return failed("SIGUSR2");
        }
        const char* wrong = begin_frozen();
        const struct timespec while_frozen = {frozen_s, 0};
        (void)nanosleep(&while_frozen, nullptr);
        const long ticks = ticks_of(process) - before;
        if (wrong == nullptr && ticks > an_instant) {
            wrong = differs("ticks of CPU time while it is frozen", ticks, 0);
        }
        if (wrong == nullptr && !is_pending(process, SIGUSR2)) {
            wrong = "it takes a signal while it is frozen";
        }
        if (wrong == nullptr && !Group::is_frozen()) {
            wrong = "it thaws by itself";
        }
        return wrong == nullptr ? end_frozen() : wrong;
    }

    static inline volatile sig_atomic_t meanwhile_;
    mosrig::guest::Helper helper_;
};

// Computes, and makes no call.
class FrozenBusy final : public Frozen {
  public:
    using Frozen::Frozen;

  protected:
    const char* be_frozen(mosrig::guest::Helper& helper) override { return helper.act(over_); }
    const char* await_begin(pid_t process) override { return await_computing(process); }
    const char* await_end(pid_t process) override { return await_computing(process); }
};

// Sleeps in a read of a pipe, whose bytes come while it is frozen.
class FrozenAsleep final : public Frozen {
  public:
    using Frozen::Frozen;

    const char* hold() override { return pipe(bytes_) != 0 ? failed("a pipe") : Frozen::hold(); }

  protected:
    const char* be_frozen(mosrig::guest::Helper& helper) override {
        char text[sizeof words] = {};
        ssize_t count = 0;
        int error = 0;
        const char* const wrong = helper.act_amid([&] {
            count = read(bytes_[0], text, sizeof text);
            error = errno;
        });
        if (wrong != nullptr) {
            return wrong;
        }
        errno = error;
        if (count < 0) {
            return failed("the read that it was frozen in");
        }
        return count != sizeof words || memcmp(text, words, sizeof words) != 0
                   ? differs("bytes of the read that it was frozen in", count, sizeof words)
                   : nullptr;
    }
    const char* await_begin(pid_t process) override {
        return mosrig::guest::await_within(process, "pipe_read");
    }
    const char* begin_frozen() override {
        sent_ = write(bytes_[1], words, sizeof words) == sizeof words;
        return sent_ ? nullptr : failed("write");
    }
    const char* end_frozen() override {
        const int waiting = unread();
        return waiting != sizeof words ? differs("bytes that wait for it", waiting, sizeof words)
                                       : nullptr;
    }
    const char* await_end(pid_t /*process*/) override {
        if (!sent_) {
            (void)begin_frozen();
        }
        sent_ = false;
        return await([this] { return unread() == 0; }) ? nullptr : "thawed, it does not read";
    }

  private:
    static constexpr char words[] = "while frozen";

    // -1 if that cannot be told.
    [[nodiscard]] int unread() const {
        int count = 0;
        return ioctl(bytes_[0], FIONREAD, &count) == 0 ? count : -1;
    }

    int bytes_[2] = {-1, -1};
    bool sent_ = false;  // of the helper
};

const mosrig::guest::KindOf<FrozenBusy> busy("frozen-busy");
const mosrig::guest::KindOf<FrozenAsleep> asleep("frozen-asleep");

}  // namespace
