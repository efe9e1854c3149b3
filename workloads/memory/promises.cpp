// SPDX-License-Identifier: MIT
//
// What the kernel has been told of a process's memory on one node holds on the other: barriers that
// were announced, mappings that were sealed.
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

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

const KindOf<Barrier<false>> barrier("membarrier");
const KindOf<Barrier<true>> barrier_away("membarrier-away");
const KindOf<Sealed> sealed("sealed");

}  // namespace
