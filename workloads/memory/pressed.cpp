// SPDX-License-Identifier: MIT
//
// Memory that the kernel works on all the time: some of it in huge pages, some of it alike (to be
// merged), some of it paged out again and again, all of it checked.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;

constexpr size_t mib = 1UL << 20;
constexpr size_t huge_size = 4 * mib;
constexpr size_t alike_size = 2 * mib;
constexpr size_t paged_size = 4 * mib;
constexpr size_t page = 4096;

class Pressed final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (!has_swap()) {
            return "this node has no swap";
        }
        huge_ = map(huge_size + 2 * mib);
        alike_ = map(alike_size);
        paged_ = map(paged_size);
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
        return nullptr;
    }

  protected:
    const char* step() override {
        // A part each turn, in turn: some pages are always out, some just back.
        unsigned char* part = paged_ + (turn_ % 8) * (paged_size / 8);
        if (!same(part, paged_size / 8, 2)) {
            return "a page that was swapped";
        }
        if (madvise(part, paged_size / 8, MADV_PAGEOUT) != 0) {
            return failed("MADV_PAGEOUT");
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
        return same(huge_, huge_size, 1) ? nullptr : "a huge page";
    }

  private:
    static bool has_swap() {
        char text[512];
        const int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);
        const ssize_t count = read(fd, text, sizeof text - 1);
        (void)close(fd);
        text[count > 0 ? count : 0] = '\0';
        // A heading, and a line for each area.
        const char* line = strchr(text, '\n');
        return line != nullptr && line[1] != '\0';
    }

    static unsigned char* map(size_t size) {
        void* view =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return view == MAP_FAILED ? nullptr : static_cast<unsigned char*>(view);
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
        const size_t first = static_cast<size_t>(start - (seed == 1 ? huge_ : paged_));
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
    size_t turn_ = 0;
};

const mosrig::guest::KindOf<Pressed> pressed("pressed");

}  // namespace
