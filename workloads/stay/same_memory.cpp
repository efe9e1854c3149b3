// SPDX-License-Identifier: MIT
//
// Another process with the very same memory: made by clone(CLONE_VM), and in the window between
// vfork and exec, in which the parent stands still.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

class SameMemory : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

  protected:
    // Runs `act` in a process that has this one's memory.
    pid_t make(int (*act)(void*), int flags) {
        constexpr size_t top = sizeof stack_ - 64;
        return clone(act, stack_ + top, CLONE_VM | SIGCHLD | flags, this);
    }

  private:
    alignas(16) unsigned char stack_[65536] = {};
};

class Clone final : public SameMemory {
  public:
    using SameMemory::SameMemory;

    const char* hold() override {
        const auto sleep = [](void* /*self*/) {
            (void)pause();
            return 0;
        };
        child_ = make(sleep, 0);
        return child_ < 0 ? failed("clone") : nullptr;
    }

    const char* release() override {
        (void)kill(child_, SIGKILL);
        return waitpid(child_, nullptr, 0) != child_ ? failed("waitpid") : nullptr;
    }

  private:
    pid_t child_ = 0;
};

// While the parent stands still in vfork, the child takes its place at the other end of the line.
class Vfork final : public SameMemory {
  public:
    using SameMemory::SameMemory;

    const char* hold() override {
        const pid_t child = make(stand_in, CLONE_VFORK);
        if (child < 0) {
            return failed("vfork");
        }
        (void)waitpid(child, nullptr, 0);
        held_before_ = true;
        // Here RELEASE (or END) has been heard, by the child: what is said next answers it.
        return nullptr;
    }

    const char* release() override { _exit(0); }

  private:
    static int stand_in(void* self) {
        auto& program = *static_cast<Vfork*>(self);
        if (program.held_before_) {
            mosrig::guest::answer(nullptr);
        }
        return mosrig::guest::serve(program, !program.held_before_);
    }

    bool held_before_ = false;
};

const KindOf<Clone> clone_vm("clone-vm");
const KindOf<Vfork> vfork_window("vfork");

}  // namespace
