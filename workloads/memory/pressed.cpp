// SPDX-License-Identifier: MIT
//
// Memory that the kernel works on all the time: some of it in huge pages, some of it alike (to be
// merged), some of it paged out again and again (by a child, so that it happens at home wherever
// this process runs), all of it touched by a CPU that never rests, and checked.
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::map_private;

constexpr size_t mib = 1UL << 20;
constexpr size_t huge_size = 4 * mib;
constexpr size_t alike_size = 2 * mib;
constexpr size_t paged_size = 4 * mib;
constexpr size_t far_size = 2 * mib;
constexpr size_t page = 4096;
constexpr size_t parts = 8;

class Pressed final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (!has_swap()) {
            return "this node has no swap";
        }
        huge_ = map_private(huge_size + 2 * mib);
        alike_ = map_private(alike_size);
        paged_ = map_private(paged_size);
        if (huge_ == nullptr || alike_ == nullptr || paged_ == nullptr) {
            return failed("mmap");
        }
        (void)madvise(paged_, paged_size, MADV_NOHUGEPAGE);
        (void)madvise(alike_, alike_size, MADV_NOHUGEPAGE);
        if (madvise(alike_, alike_size, MADV_MERGEABLE) != 0) {
            return failed("MADV_MERGEABLE");
        }
        fill(huge_, huge_size, 1);
        fill(paged_, paged_size, 2);
        memset(alike_, 0x5C, alike_size);
        place_far();
        return helper_.start(page_out, page_out, this);
    }

    int patience_ms() const override { return 0; }

  protected:
    const char* step() override {
        // A part each turn, in turn: some pages are always out, some just back.
        unsigned char* part = paged_ + (turn_ % parts) * (paged_size / parts);
        if (!same(part, paged_size / parts, 2)) {
            return "a page that was swapped";
        }
        // Unless it is written, its copy in swap does for ever, and nothing more goes there.
        for (size_t at = 0; at < paged_size / parts; at += page) {
            volatile unsigned char& first = part[at];
            first = first;
        }
        if (turn_ % 4 == 0) {
            if (const char* wrong = helper_.act(); wrong != nullptr) {
                return wrong;
            }
        }
        if (turn_ % 16 == 0) {
            if (const char* wrong = fresh(); wrong != nullptr) {
                return wrong;
            }
        }
        if (far_ != nullptr && !same(far_ + turn_ % (far_size / page) * page, page, 3)) {
            return "a page of the other cell";
        }
        // One of the merged pages is written, and has to be alike again for the next look.
        unsigned char& shared = alike_[(turn_ % (alike_size / page)) * page];
        if (shared != 0x5C) {
            return "a page that was merged";
        }
        shared = 0;
        shared = 0x5C;
        ++turn_;
        return nullptr;
    }

    const char* check() override {
        for (size_t at = 0; at < alike_size; ++at) {
            if (alike_[at] != 0x5C) {
                return "a merged page";
            }
        }
        if (!same(huge_, huge_size, 1)) {
            return "a huge page";
        }
        return far_ == nullptr || same(far_, far_size, 3) ? nullptr : "a page of the other cell";
    }

  private:
    // Memory of the other cell, if there is one: only such takes hint faults.
    void place_far() {
        far_ = map_private(far_size);
        unsigned cpu = 0;
        unsigned cell = 0;
        if (far_ == nullptr || syscall(SYS_getcpu, &cpu, &cell, nullptr) != 0) {
            return;
        }
        const unsigned long other = cell == 0 ? 2 : 1;
        (void)syscall(SYS_set_mempolicy, MPOL_BIND, &other, 8 * sizeof other);
        fill(far_, far_size, 3);
        (void)syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0);
    }

    // Memory that comes and goes, a huge page at its first touch.
    static const char* fresh() {
        unsigned char* view = map_private(huge_size);
        if (view == nullptr) {
            return failed("mmap");
        }
        view[huge_size / 2] = 1;
        const bool zero = view[huge_size / 2 - 1] == 0 && view[huge_size - 1] == 0;
        return munmap(view, huge_size) != 0 || !zero ? failed("fresh memory") : nullptr;
    }

    // The child's part: it pages out what its parent has at the same address.
    static const char* page_out(void* data) {
        const auto& self = *static_cast<const Pressed*>(data);
        const int parent = static_cast<int>(syscall(SYS_pidfd_open, getppid(), 0));
        const struct iovec range = {self.paged_, paged_size};
        const bool done =
            parent >= 0 && syscall(SYS_process_madvise, parent, &range, 1, MADV_PAGEOUT, 0) >= 0;
        (void)close(parent);
        return done ? nullptr : failed("process_madvise");
    }

    static bool has_swap() {
        char text[512];
        (void)mosrig::guest::read_text("/proc/swaps", text, sizeof text);
        // A heading, and a line for each area.
        const char* line = strchr(text, '\n');
        return line != nullptr && line[1] != '\0';
    }

    // Every page is another one, and can be told from its address.
    static uint64_t word(const unsigned char* at, uint64_t seed) {
        return (reinterpret_cast<uintptr_t>(at) / page + seed) * 6364136223846793005ULL;
    }

    static void fill(unsigned char* start, size_t size, uint64_t seed) {
        for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
            const uint64_t value = word(start + at, seed) + at;
            memcpy(start + at, &value, sizeof value);
        }
    }

    bool same(const unsigned char* start, size_t size, uint64_t seed) const {
        // Offsets count from the beginning of the mapping that the part belongs to.
        const unsigned char* const mappings[] = {huge_, paged_, far_};
        const size_t first = static_cast<size_t>(start - mappings[seed - 1]);
        for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
            uint64_t value = 0;
            memcpy(&value, start + at, sizeof value);
            if (value != word(start + at, seed) + first + at) {
                return false;
            }
        }
        return true;
    }

    unsigned char* huge_ = nullptr;
    unsigned char* alike_ = nullptr;
    unsigned char* paged_ = nullptr;
    unsigned char* far_ = nullptr;
    size_t turn_ = 0;
    mosrig::guest::Helper helper_;
};

const mosrig::guest::KindOf<Pressed> pressed("pressed");

}  // namespace
