// SPDX-License-Identifier: MIT
//
// Reasons that another process makes: it maps writable and shared what this one maps private or
// only reads, it gives this one a real-time class, it traces it.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::Helper;
using mosrig::guest::KindOf;

class ByPeer : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (const char* wrong = prepare(); wrong != nullptr) {
            return wrong;
        }
        const char* wrong = helper_.start(act_, undo_, this);
        return wrong != nullptr ? wrong : helper_.act();
    }
    const char* release() override { return helper_.undo(); }

  protected:
    // Before there is a helper, and again before it acts.
    virtual const char* prepare() { return nullptr; }
    ByPeer(const char* name, Helper::Action act, Helper::Action undo)
        : Holder(name), act_(act), undo_(undo) {}

  private:
    Helper helper_;
    Helper::Action act_;
    Helper::Action undo_;
};

constexpr size_t size = 4096;
constexpr unsigned char content = 0x6D;

// This process has a file mapped, and the other maps it writable and shared.
template <int protection, int flags>
class MappedByPeer final : public ByPeer {
  public:
    explicit MappedByPeer(const char* name) : ByPeer(name, map, unmap) {}

  protected:
    const char* prepare() override {
        if (view_ != nullptr) {
            return nullptr;
        }
        fd_ = mosrig::guest::scratch_file(O_CLOEXEC);
        if (fd_ < 0) {
            return failed("a file");
        }
        if ((flags & MAP_SHARED) != 0 && mosrig::guest::in_memory(fd_)) {
            return "the files of this node are in memory, and stay for that";
        }
        if (ftruncate(fd_, size) != 0 || pwrite(fd_, &content, 1, 0) != 1 ||
            (fd_ = mosrig::guest::only_to_read(fd_)) < 0) {
            return failed("the file");
        }
        void* view = mosrig::guest::map_to_read(fd_, size, protection, flags);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = static_cast<const volatile unsigned char*>(view);
        return nullptr;
    }

    const char* check() override {
        return view_ != nullptr && *view_ != content ? "the mapping changed" : nullptr;
    }

  private:
    static const char* map(void* data) {
        auto& self = *static_cast<MappedByPeer*>(data);
        const int writer = mosrig::guest::reopen(self.fd_, O_RDWR);
        self.theirs_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
        (void)close(writer);
        return self.theirs_ == MAP_FAILED ? failed("mmap by the other") : nullptr;
    }
    static const char* unmap(void* data) {
        return munmap(static_cast<MappedByPeer*>(data)->theirs_, size) != 0 ? failed("munmap")
                                                                            : nullptr;
    }

    int fd_ = -1;
    const volatile unsigned char* view_ = nullptr;
    void* theirs_ = nullptr;
};

const char* set_class(int policy, int priority) {
    struct sched_param parameter = {};
    parameter.sched_priority = priority;
    return sched_setscheduler(getppid(), policy, &parameter) != 0 ? failed("sched_setscheduler")
                                                                  : nullptr;
}

class ScheduledByPeer final : public ByPeer {
  public:
    explicit ScheduledByPeer(const char* name)
        : ByPeer(
              name, [](void* /*data*/) { return set_class(SCHED_RR, 1); },
              [](void* /*data*/) { return set_class(SCHED_OTHER, 0); }) {}
};

const char* seize(void* /*data*/) {
    return ptrace(PTRACE_SEIZE, getppid(), nullptr, nullptr) != 0 ? failed("PTRACE_SEIZE")
                                                                  : nullptr;
}

const char* detach(void* /*data*/) {
    // Only one that has stopped can be let go.
    if (ptrace(PTRACE_INTERRUPT, getppid(), nullptr, nullptr) != 0) {
        return failed("PTRACE_INTERRUPT");
    }
    while (ptrace(PTRACE_DETACH, getppid(), nullptr, nullptr) != 0) {
        if (errno != ESRCH) {
            return failed("PTRACE_DETACH");
        }
        (void)sched_yield();
    }
    return nullptr;
}

class Traced final : public ByPeer {
  public:
    explicit Traced(const char* name) : ByPeer(name, seize, detach) {}
};

const KindOf<MappedByPeer<PROT_READ | PROT_WRITE, MAP_PRIVATE>> private_view("peer-private");
const KindOf<MappedByPeer<PROT_READ, MAP_SHARED>> reader("peer-readonly");
const KindOf<ScheduledByPeer> scheduled("peer-sched");
const KindOf<Traced> traced("ptrace");

}  // namespace
