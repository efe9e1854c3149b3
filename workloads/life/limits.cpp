// SPDX-License-Identifier: MIT
//
// Limits that are reached: of a file's size, of open files, of memory, of the stack.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdio>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

constexpr size_t page = 4096;

// A soft limit that holds as long as this does.
class Limited {
  public:
    Limited(__rlimit_resource what, rlim_t limit) : what_(what) {
        if (getrlimit(what, &was_) == 0) {
            const struct rlimit now = {limit, was_.rlim_max};
            valid_ = setrlimit(what, &now) == 0;
        }
    }
    Limited(const Limited&) = delete;
    Limited& operator=(const Limited&) = delete;
    ~Limited() {
        if (valid_) {
            (void)setrlimit(what_, &was_);
        }
    }

    [[nodiscard]] bool valid() const { return valid_; }

  private:
    __rlimit_resource what_;
    struct rlimit was_ = {};
    bool valid_ = false;
};

class Bites final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { too_long_ = too_long_ + 1; };
        file_ = mosrig::guest::scratch_file(O_CLOEXEC);
        return file_ < 0 || sigaction(SIGXFSZ, &action, nullptr) != 0 ? failed("a file") : nullptr;
    }

  protected:
    const char* step() override {
        for (const auto part :
             {&Bites::file_size, &Bites::open_files, &Bites::address_space, &Bites::data}) {
            if (const char* const wrong = (this->*part)(); wrong != nullptr) {
                return wrong;
            }
        }
        return nullptr;
    }

  private:
    static constexpr size_t large = 64UL << 20;

    const char* file_size() {
        const Limited limited(RLIMIT_FSIZE, page);
        const sig_atomic_t before = too_long_;
        const ssize_t part = pwrite(file_, "ab", 2, page - 1);
        if (!limited.valid() || part != 1) {
            return differs("bytes up to the limit of a file", part, 1);
        }
        if (pwrite(file_, "c", 1, page) != -1 || errno != EFBIG) {
            return "a file grows past its limit";
        }
        return too_long_ != before + 1 ? differs("SIGXFSZ", too_long_ - before, 1) : nullptr;
    }

    const char* open_files() {
        const Limited limited(RLIMIT_NOFILE, 1);
        return !limited.valid() || dup(0) != -1 || errno != EMFILE
                   ? failed("one open file too many")
                   : nullptr;
    }

    static bool can_map() {
        void* const start =
            mmap(nullptr, large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return start != MAP_FAILED && munmap(start, large) == 0;
    }

    const char* address_space() {
        char text[64] = {};
        unsigned long pages = 0;
        if (mosrig::guest::read_text("/proc/self/statm", text, sizeof text) == 0 ||
            sscanf(text, "%lu", &pages) != 1) {
            return failed("statm");
        }
        {
            const Limited limited(RLIMIT_AS, pages * page + large / 2);
            if (!limited.valid() || can_map() || errno != ENOMEM) {
                return "more address space than RLIMIT_AS";
            }
        }
        return can_map() ? nullptr : failed("mmap without a limit");
    }

    static bool grow(intptr_t bytes) {
        errno = 0;
        (void)sbrk(bytes);
        return errno == 0;
    }

    const char* data() {
        {
            const Limited limited(RLIMIT_DATA, page);
            if (!limited.valid() || can_map() || errno != ENOMEM || grow(large)) {
                return "more data than RLIMIT_DATA";
            }
        }
        return grow(page) && grow(-static_cast<intptr_t>(page)) ? nullptr
                                                                : failed("sbrk without a limit");
    }

    static inline volatile sig_atomic_t too_long_;
    int file_ = -1;
};

// The stack's end: a fault, on a stack of its own, from which a long jump leads away. Only when
// asked, since a fault brings a process home.
class StackLimit : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        stack_t stack = {};
        stack.ss_sp = other_stack_;
        stack.ss_size = sizeof other_stack_;
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { siglongjmp(back_, 1); };
        action.sa_flags = SA_ONSTACK;
        return sigaltstack(&stack, nullptr) != 0 || sigaction(SIGSEGV, &action, nullptr) != 0
                   ? failed("a stack for signals")
                   : nullptr;
    }

  protected:
    const char* check() override {
        const Limited limited(RLIMIT_STACK, limit);
        return limited.valid() ? overflow() : failed("RLIMIT_STACK");
    }

    static const char* overflow() {
        deepest_ = 0;
        if (sigsetjmp(back_, 1) == 0) {
            (void)deeper(0);
            return "the stack grows past its limit";
        }
        // What the program itself stands on is little.
        return deepest_ < limit / 4 || deepest_ > limit
                   ? differs("bytes of stack", static_cast<long long>(deepest_), limit)
                   : nullptr;
    }

    static constexpr size_t limit = 1UL << 20;

  private:
    // NOLINTNEXTLINE(misc-no-recursion): what it is for
    static unsigned deeper(size_t depth) {
        volatile unsigned char here[page];
        here[0] = static_cast<unsigned char>(depth);
        deepest_ = depth;
        if (depth > 4 * limit) {
            return here[0];
        }
        return deeper(depth + page) + here[0];
    }

    static inline sigjmp_buf back_;
    static inline volatile size_t deepest_;
    unsigned char other_stack_[16 * page] = {};
};

// The same with a limit that was set at home.
class KeptStackLimit final : public StackLimit {
  public:
    using StackLimit::StackLimit;

    const char* hold() override {
        struct rlimit kept = {};
        if (getrlimit(RLIMIT_STACK, &kept) != 0) {
            return failed("getrlimit");
        }
        kept.rlim_cur = limit;
        return setrlimit(RLIMIT_STACK, &kept) != 0 ? failed("RLIMIT_STACK") : StackLimit::hold();
    }

  protected:
    const char* check() override { return overflow(); }
};

const KindOf<Bites> bites("limits-reached");
const KindOf<StackLimit> stack_limit("stack-limit");
const KindOf<KeptStackLimit> kept_stack_limit("stack-limit-kept");

}  // namespace
