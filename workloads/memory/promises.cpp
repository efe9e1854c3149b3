// SPDX-License-Identifier: MIT
//
// What the kernel has been told of a process's memory on one node holds on the other: barriers that
// were announced, mappings that were sealed, keys that close.
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::Deed;
using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::map_private;

constexpr size_t page = 4096;

// Announced at the beginning, or when told to act; used from then on.
template <bool announced_away>
class Barrier final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        if (membarrier(MEMBARRIER_CMD_QUERY) < 0) {
            _exit(mosrig::guest::skip("this kernel has no membarrier"));
        }
        return announced_away ? nullptr : announce();
    }

  protected:
    const char* act() override {
        const char* const wrong = announced_away ? announce() : nullptr;
        return wrong != nullptr ? wrong : use();
    }
    const char* check() override { return announced_ ? use() : nullptr; }

  private:
    static long membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }
    static const char* use() {
        return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 ? failed("a barrier") : nullptr;
    }
    const char* announce() {
        announced_ = true;
        return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0
                   ? failed("a barrier announced")
                   : nullptr;
    }

    bool announced_ = false;
};

class Sealed final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        constexpr long mseal_number = 462;  // newer than the C library
        start_ = map_private(pages * page);
        if (start_ == nullptr) {
            return failed("mmap");
        }
        start_[page] = 7;
        if (syscall(mseal_number, start_, pages * page, 0UL) != 0) {
            _exit(mosrig::guest::skip("this kernel cannot seal memory"));
        }
        return nullptr;
    }

  protected:
    const char* act() override {
        if (munmap(start_ + page, page) != -1 || errno != EPERM) {
            return failed("munmap of sealed memory");
        }
        if (mprotect(start_, page, PROT_READ) != -1 || errno != EPERM) {
            return failed("mprotect of sealed memory");
        }
        if (mremap(start_, pages * page, page, 0) != MAP_FAILED || errno != EPERM) {
            return failed("mremap of sealed memory");
        }
        // Over it, too.
        if (mmap(start_, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
                MAP_FAILED ||
            errno != EPERM) {
            return failed("mmap over sealed memory");
        }
        return check();
    }
    const char* check() override { return start_[page] == 7 ? nullptr : "the sealed memory"; }

  private:
    static constexpr size_t pages = 4;
    unsigned char* start_ = nullptr;
};

// Memory under a key that nobody may open faults, wherever the process is.
class Keyed final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        key_ = pkey_alloc(0, 0);
        if (key_ < 0) {
            _exit(mosrig::guest::skip("this processor or kernel has no keys for memory"));
        }
        start_ = map_private(page);
        struct sigaction action = {};
        action.sa_sigaction = [](int /*signal*/, siginfo_t* info, void* /*context*/) {
            code_ = info->si_code;
            siglongjmp(back_, 1);
        };
        action.sa_flags = SA_SIGINFO;
        if (start_ == nullptr || sigaction(SIGSEGV, &action, nullptr) != 0) {
            return failed("mmap, sigaction");
        }
        *start_ = 9;
        return pkey_mprotect(start_, page, PROT_READ | PROT_WRITE, key_) != 0 ||
                       pkey_set(key_, PKEY_DISABLE_ACCESS) != 0
                   ? failed("pkey_mprotect")
                   : act();
    }

  protected:
    const char* act() override {
        code_ = 0;
        if (sigsetjmp(back_, 1) == 0) {
            return *static_cast<volatile unsigned char*>(start_) == 9 ? "the key does not close"
                                                                      : "keyed memory changed";
        }
        return code_ != SEGV_PKUERR
                   ? mosrig::guest::differs("code of the fault", code_, SEGV_PKUERR)
                   : nullptr;
    }
    const char* check() override { return act(); }

  private:
    static inline sigjmp_buf back_;
    static inline volatile int code_;
    unsigned char* start_ = nullptr;
    int key_ = -1;
};

const KindOf<Barrier<false>> barrier("membarrier");
const KindOf<Barrier<true>> barrier_away("membarrier-away");
const KindOf<Sealed> sealed("sealed");
const KindOf<Keyed> keyed("keyed");

}  // namespace
