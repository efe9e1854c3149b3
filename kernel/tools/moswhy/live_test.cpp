// SPDX-License-Identifier: GPL-2.0-only
// Each cause made for real, in a child of the test, and explained from this machine's own /proc.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <csignal>
#include <functional>
#include <thread>

#include "common/fd.h"
#include "moswhy/explain.h"

namespace mosrig {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::size_t page_size = 4096;

// A child that does something and then waits to be ended.
class Child {
  public:
    // `act` returns false if this machine does not let it.
    explicit Child(const std::function<bool()>& act) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const char good = act() ? 'y' : 'n';
            (void)!::write(ends[1], &good, 1);
            for (;;) {
                ::pause();
            }
        }
        char answer = 'n';
        ::close(ends[1]);
        (void)!::read(ends[0], &answer, 1);
        ::close(ends[0]);
        ready_ = answer == 'y';
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] bool ready() const { return ready_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::vector<std::string> causes(const char* word) const {
        return explain_reason(word, Subject(pid_, {})).explanation.causes;
    }

  private:
    pid_t pid_;
    bool ready_ = false;
};

#define NEED(child)                                                  \
    if (!(child).ready()) {                                          \
        GTEST_SKIP() << "this machine does not let the child do it"; \
    }

bool map_shared(int fd, int flags = MAP_SHARED) {
    return ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, flags, fd, 0) != MAP_FAILED;
}

TEST(Live, SystemVSharedMemory) {
    const int id = ::shmget(IPC_PRIVATE, page_size, IPC_CREAT | 0600);
    ASSERT_GE(id, 0);
    const Child child([id] { return ::shmat(id, nullptr, 0) != reinterpret_cast<void*>(-1); });
    ::shmctl(id, IPC_RMID, nullptr);
    NEED(child);
    EXPECT_THAT(child.causes("monkey"),
                Contains(testing::AllOf(HasSubstr("shm id " + std::to_string(id)),
                                        HasSubstr("made by " + std::to_string(::getpid())))));
}

TEST(Live, SharedMemoryWithoutAFileAndMemfd) {
    const Child child([] {
        const int fd = static_cast<int>(::syscall(SYS_memfd_create, "buffer", 0));
        return map_shared(-1, MAP_SHARED | MAP_ANONYMOUS) && ::ftruncate(fd, page_size) == 0 &&
               map_shared(fd);
    });
    NEED(child);
    EXPECT_THAT(child.causes("monkey"), Contains(HasSubstr("MAP_SHARED and MAP_ANONYMOUS")));
    EXPECT_THAT(child.causes("monkey"), Contains(HasSubstr("'buffer'")));
}

TEST(Live, AFileThatAnotherWritesTo) {
    std::string name = testing::TempDir() + "om_mapXXXXXX";
    const Fd fd(::mkstemp(name.data()));
    ASSERT_EQ(::ftruncate(fd.get(), page_size), 0);
    const Child writer([&] { return map_shared(fd.get()); });
    const Child reader([&] {
        return ::mmap(nullptr, page_size, PROT_READ, MAP_PRIVATE, fd.get(), 0) != MAP_FAILED;
    });
    ::unlink(name.c_str());
    NEED(writer);
    NEED(reader);
    // On a tmpfs it is shared memory, else a file.
    EXPECT_THAT(writer.causes("monkey"), Contains(HasSubstr(name)));
    EXPECT_THAT(reader.causes("monkey"),
                Contains(testing::AllOf(HasSubstr(name), HasSubstr(std::to_string(writer.pid())))));
}

TEST(Live, AFileThatIsOnlyOpenForWriting) {
    std::string name = testing::TempDir() + "om_mapXXXXXX";
    const Fd fd(::mkstemp(name.data()));
    ASSERT_EQ(::ftruncate(fd.get(), page_size), 0);
    const Child reader([&] {
        const Fd view(::open(name.c_str(), O_RDONLY));
        return ::mmap(nullptr, page_size, PROT_READ, MAP_SHARED, view.get(), 0) != MAP_FAILED;
    });
    NEED(reader);
    const auto causes = reader.causes("monkey");
    ::unlink(name.c_str());
    struct statfs system {};
    if (::fstatfs(fd.get(), &system) == 0 && system.f_type == TMPFS_MAGIC) {
        GTEST_SKIP() << "the files of this machine are in memory";
    }
    EXPECT_THAT(causes, Contains(testing::AllOf(HasSubstr(name), HasSubstr("open for writing"),
                                                HasSubstr("itself"),
                                                HasSubstr(std::to_string(::getpid()) + " ("))));
}

TEST(Live, ProtectionKey) {
    const Child child([] {
        void* page = ::mmap(nullptr, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        const int key = ::pkey_alloc(0, 0);
        return key > 0 && ::pkey_mprotect(page, page_size, PROT_READ, key) == 0;
    });
    NEED(child);
    EXPECT_THAT(child.causes("pkey"), Contains(HasSubstr("has key 1")));
}

TEST(Live, Threads) {
    const Child child([] {
        std::thread([] {
            ::prctl(PR_SET_NAME, "worker");
            for (;;) {
                ::pause();
            }
        }).detach();
        ::usleep(100'000);
        return true;
    });
    NEED(child);
    EXPECT_THAT(child.causes("clone_vm"), Contains(HasSubstr("(worker)")));
}

TEST(Live, LockedMemory) {
    const Child child([] {
        void* page =
            ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        // The address sanitizer lets mlock() do nothing.
        return ::syscall(SYS_mlock, page, page_size) == 0;
    });
    NEED(child);
    ASSERT_EQ(child.causes("mem_lock").size(), 1U);
    EXPECT_THAT(child.causes("mem_lock"), Contains(HasSubstr("KiB")));
}

TEST(Live, RealTime) {
    const Child child([] {
        const sched_param parameters{.sched_priority = 3};
        return ::sched_setscheduler(0, SCHED_RR, &parameters) == 0;
    });
    NEED(child);
    EXPECT_THAT(child.causes("rt_sched"), Contains("its policy is SCHED_RR, its priority 3"));
}

TEST(Live, IoUringAndAio) {
    const Child child([] {
        io_uring_params parameters{};
        aio_context_t context = 0;
        return ::syscall(SYS_io_uring_setup, 4, &parameters) >= 0 &&
               ::syscall(SYS_io_setup, 4, &context) == 0;
    });
    NEED(child);
    EXPECT_THAT(child.causes("io_uring"), Contains(HasSubstr("is an io_uring")));
    EXPECT_THAT(child.causes("aio"), Contains(HasSubstr("[aio]")));
}

TEST(Live, Userfaultfd) {
    const Child child([] { return ::syscall(SYS_userfaultfd, 1 /* user mode only */) >= 0; });
    NEED(child);
    EXPECT_THAT(child.causes("userfaultfd"), Contains(HasSubstr("is a userfaultfd")));
}

TEST(Live, SecretMemory) {
    const Child child([] {
        const int fd = static_cast<int>(::syscall(447 /* memfd_secret */, 0));
        return fd >= 0 && ::ftruncate(fd, page_size) == 0 && map_shared(fd);
    });
    NEED(child);
    EXPECT_THAT(child.causes("memfd_secret"), Contains(HasSubstr("/secretmem")));
}

TEST(Live, HugePages) {
    const Child child([] {
        return ::mmap(nullptr, 2U << 20U, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) != MAP_FAILED;
    });
    NEED(child);
    EXPECT_THAT(child.causes("hugetlb"), Contains(HasSubstr("2 MiB")));
}

TEST(Live, Seccomp) {
    const Child child([] {
        sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        const sock_fprog program{1, allow};
        return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
    });
    NEED(child);
    EXPECT_THAT(child.causes("seccomp"), Contains(HasSubstr("filter")));
}

TEST(Live, Tracer) {
    const Child child([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; });
    NEED(child);
    EXPECT_THAT(child.causes("ptrace"),
                Contains(HasSubstr("process " + std::to_string(::getpid()) + " (")));
}

}  // namespace
}  // namespace mosrig
