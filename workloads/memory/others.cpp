// SPDX-License-Identifier: MIT
//
// The process's memory as others see it from outside: who may not gets nothing and costs nothing,
// who may sees what the process itself sees, and soon, or is told that he cannot.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/blocked.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::KindOf;
using mosrig::guest::now_ms;
using mosrig::guest::open_memory;
using mosrig::guest::place_of;
using mosrig::guest::same_bytes;

constexpr size_t size = size_t{5} * 4096;
constexpr int64_t soon_ms = 10000;

// A block that changes in each turn, and a child that looks at it. Both count the turns.
class Seen : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override { return begin(); }

  protected:
    virtual const char* look() = 0;

    const char* begin() { return helper_.start(be_other, be_other, this); }

    const char* act() override {
        fill_bytes(block_, size, ++turn_);
        return helper_.act();
    }

    // The child's, for its parent's.
    [[nodiscard]] unsigned char* block() { return block_; }
    [[nodiscard]] unsigned turn() const { return turn_; }

    const char* compare_by_call() {
        static unsigned char seen[size];
        const struct iovec to = {seen, size};
        const struct iovec from = {block_, size};
        if (process_vm_readv(getppid(), &to, 1, &from, 1, 0) != size) {
            return failed("process_vm_readv");
        }
        return same_bytes(seen, size, turn_) ? nullptr : "what process_vm_readv sees";
    }

    const char* compare_by_file(int fd) {
        static unsigned char seen[size];
        if (pread(fd, seen, size, static_cast<off_t>(reinterpret_cast<uintptr_t>(block_))) !=
            static_cast<ssize_t>(size)) {
            return failed("read of /proc/PID/mem");
        }
        return same_bytes(seen, size, turn_) ? nullptr : "what /proc/PID/mem shows";
    }

  private:
    static const char* be_other(void* data) {
        auto& self = *static_cast<Seen*>(data);
        ++self.turn_;
        return self.look();
    }

    alignas(4096) unsigned char block_[size] = {};
    mosrig::guest::Helper helper_;
    unsigned turn_ = 0;
};

// Another user asks in every way, and is refused.
class Stranger final : public Seen {
  public:
    using Seen::Seen;

  protected:
    const char* look() override {
        constexpr uid_t nobody = 65534;
        if (getuid() != nobody && setuid(nobody) != 0) {
            return failed("setuid");
        }
        char byte = 0;
        const struct iovec to = {&byte, 1};
        const struct iovec from = {block(), 1};
        if (process_vm_readv(getppid(), &to, 1, &from, 1, 0) != -1 || errno != EPERM) {
            return failed("process_vm_readv by a stranger");
        }
        if (process_vm_writev(getppid(), &to, 1, &from, 1, 0) != -1 || errno != EPERM) {
            return failed("process_vm_writev by a stranger");
        }
        if (open_memory(getppid()) != -1 || errno != EACCES) {
            return failed("open of /proc/PID/mem by a stranger");
        }
        return ptrace(PTRACE_SEIZE, getppid(), nullptr, nullptr) != -1 || errno != EPERM
                   ? failed("a stranger as a debugger")
                   : nullptr;
    }
};

// Stopped, it cannot be asked to do anything for who looks.
class WhileStopped final : public Seen {
  public:
    using Seen::Seen;

  protected:
    const char* look() override {
        if (kill(getppid(), SIGSTOP) != 0 || !mosrig::guest::await_state(getppid(), 'T')) {
            return failed("SIGSTOP");
        }
        const int64_t begin = now_ms();
        const char* wrong = compare_by_call();
        const int64_t passed = now_ms() - begin;
        const int fd = open_memory(getppid());
        wrong = wrong != nullptr ? wrong : compare_by_file(fd);
        (void)close(fd);
        if (kill(getppid(), SIGCONT) != 0) {
            return failed("SIGCONT");
        }
        return wrong == nullptr && passed > soon_ms
                   ? differs("ms to look at a stopped process", passed, soon_ms)
                   : wrong;
    }
};

// Opened while the process is at home, used wherever it then is.
class KeptOpen final : public Seen {
  public:
    using Seen::Seen;

    const char* hold() override {
        const char* const wrong = begin();
        return wrong != nullptr ? wrong : act();
    }

  protected:
    const char* look() override {
        if (memory_ < 0) {
            memory_ = open_memory(getppid());
        }
        if (const char* wrong = compare_by_file(memory_); wrong != nullptr) {
            return wrong;
        }
        static unsigned char bytes[size];
        fill_bytes(bytes, size, turn() + answer_seed);
        const auto place = static_cast<off_t>(reinterpret_cast<uintptr_t>(answer_));
        return pwrite(memory_, bytes, size, place) != static_cast<ssize_t>(size)
                   ? failed("write to /proc/PID/mem")
                   : nullptr;
    }

    const char* act() override {
        fill_bytes(answer_, size, 0);
        if (const char* wrong = Seen::act(); wrong != nullptr) {
            return wrong;
        }
        return check();
    }

    const char* check() override {
        return same_bytes(answer_, size, turn() + answer_seed)
                   ? nullptr
                   : "what was written into the memory from outside";
    }

  private:
    static constexpr unsigned answer_seed = 1000;
    alignas(4096) unsigned char answer_[size] = {};
    int memory_ = -1;
};

// It waits in a call that nothing breaks off, and somebody looks at it meanwhile. Away it cannot
// come home for that: he is told so, soon, and has done nothing to it.
class InACall final : public mosrig::guest::Blocked {
  public:
    using Blocked::Blocked;

  protected:
    const char* prepare() override {
        fill_bytes(block_, size, turn());
        return nullptr;
    }

    const char* open_other(pid_t process) override {
        memory_ = open_memory(process);
        return memory_ < 0 ? failed("/proc/PID/mem") : nullptr;
    }

    // Other bytes are written than those that are there: a write that comes through is seen.
    const char* meanwhile(pid_t process) override {
        static unsigned char bytes[size];
        const struct iovec to = {bytes, size};
        const struct iovec from = {block_, size};
        const int place = place_of(process);
        const int64_t begin = now_ms();
        const ssize_t seen = process_vm_readv(process, &to, 1, &from, 1, 0);
        if (place == 0) {
            return seen == size && same_bytes(bytes, size, turn())
                       ? nullptr
                       : "what process_vm_readv sees at home";
        }
        if (seen != -1 || errno != EAGAIN) {
            return differs("errno of process_vm_readv", seen == -1 ? errno : 0, EAGAIN);
        }
        const int64_t asked_again = now_ms();
        const ssize_t written =
            pwrite(memory_, bytes, size, static_cast<off_t>(reinterpret_cast<uintptr_t>(block_)));
        if (written != -1 || errno != EAGAIN) {
            return differs("errno of a write to /proc/PID/mem", written == -1 ? errno : 0, EAGAIN);
        }
        const int64_t longest = std::max(asked_again - begin, now_ms() - asked_again);
        if (longest > soon_ms) {
            return differs("ms until somebody is refused", longest, soon_ms);
        }
        return place_of(process) != place ? differs("where it is", place_of(process), place)
                                          : nullptr;
    }

    const char* check() override {
        return same_bytes(block_, size, turn()) ? nullptr : "what a write that failed left behind";
    }

  private:
    alignas(4096) unsigned char block_[size] = {};
    int memory_ = -1;
};

const KindOf<Stranger> stranger("stranger");
const KindOf<WhileStopped> while_stopped("while-stopped");
const KindOf<KeptOpen> kept_open("kept-open");
const KindOf<InACall> in_a_call("in-a-call");

}  // namespace
