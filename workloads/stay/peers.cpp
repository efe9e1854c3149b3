// SPDX-License-Identifier: MIT
//
// Reasons that another process makes: it maps writable and shared what this one maps private or
// only reads, it gives this one a real-time class, it traces it, it serves its faults.
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "workloads/lib/await.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"
#include "workloads/stay/counter.h"
#include "workloads/stay/policy.h"
#include "workloads/stay/user_faults.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Helper;
using mosrig::guest::KindOf;
using mosrig::guest::place_of;
using mosrig::guest::set_class;

// Whether the process that a helper helps is at home already.
const char* is_home() {
    const int place = place_of(getppid());
    return place != 0 ? differs("where it is once the other has done that", place, 0) : nullptr;
}

// While the other acts, this one computes and makes no call: whatever brings it home then is what
// the other does. Its word to the other is a call as well, which ends at home before it does away:
// the other waits for that. A signal of the other ends the computing.
class ByPeer : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (const char* wrong = prepare(); wrong != nullptr) {
            return wrong;
        }
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { done_ = 1; };
        if (sigaction(SIGUSR1, &action, nullptr) != 0) {
            return failed("sigaction");
        }
        done_ = 0;
        const char* wrong = helper_.start(act_and_tell, undo_, this);
        return wrong != nullptr ? wrong : helper_.act(done_);
    }
    const char* release() override { return helper_.undo(); }

  protected:
    ByPeer(const char* name, Helper::Action act, Helper::Action undo)
        : Holder(name), act_(act), undo_(undo) {}

    // Before there is a helper, and again before it acts.
    virtual const char* prepare() { return nullptr; }
    // By the helper: looks at where this process is right after the other has acted.
    virtual const char* look() { return is_home(); }
    // By the helper: lets it go on, whom nobody traces.
    virtual const char* tell() { return kill(getppid(), SIGUSR1) != 0 ? failed("kill") : nullptr; }

  private:
    static const char* act_and_tell(void* data) {
        auto& self = *static_cast<ByPeer*>(data);
        const char* wrong = mosrig::guest::await_no_call(getppid());
        wrong = wrong != nullptr ? wrong : self.act_(data);
        wrong = wrong != nullptr ? wrong : self.look();
        const char* untold = self.tell();
        return wrong != nullptr ? wrong : untold;
    }

    static inline volatile sig_atomic_t done_;
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

class ScheduledByPeer final : public ByPeer {
  public:
    explicit ScheduledByPeer(const char* name) : ByPeer(name, make_urgent, make_plain) {}

  protected:
    // Nothing is lost if it runs on for a moment; but it comes without a call of its own.
    const char* look() override { return mosrig::guest::comes_home(getppid()); }
    const char* tell() override {
        const char* wrong = ByPeer::tell();
        const char* urgent = set_class(0, SCHED_OTHER, 0);
        return wrong != nullptr ? wrong : urgent;
    }

  private:
    // The helper is the more urgent one, or it would wait for one that computes.
    static const char* make_urgent(void* /*data*/) {
        const char* wrong = set_class(0, SCHED_RR, 2);
        return wrong != nullptr ? wrong : set_class(getppid(), SCHED_RR, 1);
    }
    static const char* make_plain(void* /*data*/) { return set_class(getppid(), SCHED_OTHER, 0); }
};

// The other's performance event counts what this process does.
class CountedByPeer final : public ByPeer {
  public:
    explicit CountedByPeer(const char* name) : ByPeer(name, count, stop) {}

  protected:
    // The one who begins to count does not wait for it to come, and may miss a moment.
    const char* look() override { return mosrig::guest::comes_home(getppid()); }

  private:
    static const char* count(void* data) {
        auto& self = *static_cast<CountedByPeer*>(data);
        self.event_ = mosrig::guest::count_time(getppid());
        return self.event_ < 0 ? failed("perf_event_open") : nullptr;
    }
    static const char* stop(void* data) {
        return close(static_cast<CountedByPeer*>(data)->event_) != 0 ? failed("close") : nullptr;
    }

    int event_ = -1;
};

// The descriptor with which faults here are served is the others' alone: one of them registers the
// memory, another one serves it.
class ServedByPeer final : public ByPeer {
  public:
    explicit ServedByPeer(const char* name) : ByPeer(name, enlist, strike_off) {}

    const char* hold() override {
        const char* wrong = ByPeer::hold();
        // Both others have it by now.
        if (fd_ >= 0) {
            (void)close(fd_);
            fd_ = -1;
        }
        if (wrong != nullptr) {
            return wrong;
        }
        const unsigned char seen = *view_;
        wrong = server_.end_act();
        if (wrong != nullptr) {
            return wrong;
        }
        return seen != content ? differs("what the other put there", seen, content) : nullptr;
    }

  protected:
    const char* prepare() override {
        if (view_ == nullptr) {
            if (const char* wrong = open_view(); wrong != nullptr) {
                return wrong;
            }
        }
        // Each time there is nothing in it, and the server waits for whoever misses that.
        if (madvise(const_cast<unsigned char*>(view_), size, MADV_DONTNEED) != 0) {
            return failed("madvise");
        }
        const char* wrong = server_.start(serve, serve, this);
        return wrong != nullptr ? wrong : server_.begin_act();
    }

    const char* check() override {
        return view_ != nullptr && *view_ != content ? "the memory changed" : nullptr;
    }

  private:
    const char* open_view() {
        fd_ = mosrig::guest::open_user_faults();
        if (fd_ < 0) {
            return failed("userfaultfd");
        }
        void* view =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = static_cast<volatile unsigned char*>(view);
        return nullptr;
    }

    static const char* enlist(void* data) {
        const auto& self = *static_cast<ServedByPeer*>(data);
        return mosrig::guest::register_missing(self.fd_, self.view_, size)
                   ? nullptr
                   : failed("UFFDIO_REGISTER");
    }
    static const char* strike_off(void* data) {
        const auto& self = *static_cast<ServedByPeer*>(data);
        struct uffdio_range list = {reinterpret_cast<__u64>(self.view_), size};
        return ioctl(self.fd_, UFFDIO_UNREGISTER, &list) != 0 ? failed("UFFDIO_UNREGISTER")
                                                              : nullptr;
    }
    static const char* serve(void* data) {
        static unsigned char page[size] = {content};
        const auto& self = *static_cast<ServedByPeer*>(data);
        struct uffd_msg missed = {};
        if (read(self.fd_, &missed, sizeof missed) != sizeof missed ||
            missed.event != UFFD_EVENT_PAGEFAULT) {
            return failed("read of a fault");
        }
        struct uffdio_copy copy = {};
        copy.dst = reinterpret_cast<__u64>(self.view_);
        copy.src = reinterpret_cast<__u64>(page);
        copy.len = size;
        return ioctl(self.fd_, UFFDIO_COPY, &copy) != 0 ? failed("UFFDIO_COPY") : nullptr;
    }

    int fd_ = -1;
    volatile unsigned char* view_ = nullptr;
    Helper server_;
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
    bool let_go = false;
    (void)mosrig::guest::await([&] {
        let_go = ptrace(PTRACE_DETACH, getppid(), nullptr, nullptr) == 0;
        return let_go || errno != ESRCH;
    });
    return let_go ? nullptr : failed("PTRACE_DETACH");
}

class Traced final : public ByPeer {
  public:
    explicit Traced(const char* name) : ByPeer(name, seize, detach) {}

  protected:
    // Its tracer sees the signal first, and passes it on.
    const char* tell() override {
        int status = 0;
        if (kill(getppid(), SIGUSR1) != 0) {
            return failed("kill");
        }
        if (waitpid(getppid(), &status, __WALL) != getppid() || !WIFSTOPPED(status)) {
            return failed("wait for the traced one");
        }
        return ptrace(PTRACE_CONT, getppid(), nullptr, static_cast<long>(WSTOPSIG(status))) != 0
                   ? failed("PTRACE_CONT")
                   : nullptr;
    }
};

const KindOf<MappedByPeer<PROT_READ | PROT_WRITE, MAP_PRIVATE>> private_view("peer-private");
const KindOf<MappedByPeer<PROT_READ, MAP_SHARED>> reader("peer-readonly");
const KindOf<ScheduledByPeer> scheduled("peer-sched");
const KindOf<CountedByPeer> counted("peer-perf");
const KindOf<ServedByPeer> served("peer-userfaultfd");
const KindOf<Traced> traced("ptrace");

}  // namespace
