// SPDX-License-Identifier: MIT
//
// Address spaces of many mappings, and mappings far larger than what is touched of them.
#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::map_private;

constexpr size_t page = 4096;

// Every other page of a stretch may not be written: as many mappings as pages. Each page knows its
// number; in each turn some pages change, and some change their rights.
template <size_t count>
class Mappings final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        start_ = map_private(count * page);
        if (start_ == nullptr) {
            return failed("mmap");
        }
        for (size_t at = 0; at < count; ++at) {
            put(at, at);
            if (at % 2 != 0 && mprotect(start_ + at * page, page, PROT_READ) != 0) {
                return failed("mprotect");
            }
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        const size_t at = turn_++ * 37 % count / 2 * 2;
        if (get(at) % count != at) {
            return differs("a page", static_cast<long long>(get(at)), static_cast<long long>(at));
        }
        put(at, get(at) + count);
        // A neighbour is opened, written, and closed again.
        const size_t other = at + 1 < count ? at + 1 : at;
        unsigned char* const place = start_ + other * page;
        if (mprotect(place, page, PROT_READ | PROT_WRITE) != 0) {
            return failed("mprotect");
        }
        put(other, get(other) + count);
        return mprotect(place, page, other == at ? PROT_READ | PROT_WRITE : PROT_READ) != 0
                   ? failed("mprotect")
                   : nullptr;
    }

    const char* check() override {
        for (size_t at = 0; at < count; ++at) {
            if (get(at) % count != at) {
                return differs("a page", static_cast<long long>(get(at)),
                               static_cast<long long>(at));
            }
        }
        return nullptr;
    }

  private:
    [[nodiscard]] uint64_t get(size_t at) const {
        uint64_t value = 0;
        memcpy(&value, start_ + at * page + 8 * (at % 500), sizeof value);
        return value;
    }
    void put(size_t at, uint64_t value) {
        memcpy(start_ + at * page + 8 * (at % 500), &value, sizeof value);
    }

    unsigned char* start_ = nullptr;
    size_t turn_ = 0;
};

// 64 GiB, of which one page in each GiB is touched; and 16 MiB that are only read, and are zero.
class Sparse final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        wide_ = map_private(gibs * gib);
        zero_ = map_private(zero_size);
        if (wide_ == nullptr || zero_ == nullptr) {
            return failed("mmap");
        }
        // No huge page is to fill what nobody touches.
        (void)madvise(wide_, gibs * gib, MADV_NOHUGEPAGE);
        for (size_t at = 0; at < gibs; at += 2) {
            wide_[at * gib] = static_cast<unsigned char>(at + 1);
        }
        return read_zeros();
    }

  protected:
    // At home or away, one of them is touched for the first time in each of the first turns.
    const char* step() override {
        const size_t at = turn_ < gibs ? turn_ : gibs - 1;
        ++turn_;
        unsigned char& mine = wide_[at * gib];
        const int wanted = at % 2 == 0 ? static_cast<int>(at + 1) : 0;
        if (turn_ <= gibs && mine != wanted) {
            return differs("a page of the wide mapping", mine, wanted);
        }
        mine = static_cast<unsigned char>(at + 1);
        return nullptr;
    }

    const char* check() override {
        for (size_t at = 0; at < turn_ && at < gibs; ++at) {
            if (wide_[at * gib] != static_cast<unsigned char>(at + 1)) {
                const auto wanted = static_cast<long long>(at) + 1;
                return differs("a page of the wide mapping", wide_[at * gib], wanted);
            }
        }
        return read_zeros();
    }

  private:
    static constexpr size_t gib = 1UL << 30;
    static constexpr size_t gibs = 64;
    static constexpr size_t zero_size = 16UL << 20;

    const char* read_zeros() const {
        for (size_t at = 0; at < zero_size; at += page) {
            if (zero_[at] != 0) {
                return "memory that nobody wrote is not zero";
            }
        }
        return nullptr;
    }

    unsigned char* wide_ = nullptr;
    unsigned char* zero_ = nullptr;
    size_t turn_ = 0;
};

// 60 TiB that nobody may touch, as a runtime reserves them, but for two pages in use.
class Reserved final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        void* const start =
            mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (start == MAP_FAILED) {
            return failed("mmap of 60 TiB");
        }
        start_ = static_cast<unsigned char*>(start);
        for (const size_t at : used) {
            if (mprotect(start_ + at, page, PROT_READ | PROT_WRITE) != 0) {
                return failed("mprotect");
            }
        }
        return nullptr;
    }

  protected:
    const char* step() override {
        for (const size_t at : used) {
            uint64_t value = 0;
            memcpy(&value, start_ + at, sizeof value);
            if (value != turn_) {
                return differs("a page in use", static_cast<long long>(value),
                               static_cast<long long>(turn_));
            }
            ++value;
            memcpy(start_ + at, &value, sizeof value);
        }
        ++turn_;
        return nullptr;
    }

    // All of it is still there: somewhere else in each turn, a page is opened, and is zero.
    const char* check() override {
        unsigned char in_memory = 0;
        unsigned char* const other = start_ + (size / 64 * (turn_ % 61 + 1));
        if (mincore(start_, page, &in_memory) != 0 ||
            mincore(start_ + size - page, page, &in_memory) != 0) {
            return failed("an end of the reserved memory");
        }
        if (mprotect(other, page, PROT_READ) != 0) {
            return failed("mprotect");
        }
        const bool zero = other[page / 2] == 0;
        return mprotect(other, page, PROT_NONE) != 0 ? failed("mprotect")
               : zero                                ? nullptr
                                                     : "a reserved page is not zero";
    }

  private:
    static constexpr size_t size = size_t{60} << 40U;
    static constexpr size_t used[] = {size / 3 / page * page, size - 2 * page};

    unsigned char* start_ = nullptr;
    uint64_t turn_ = 0;
};

const KindOf<Mappings<2>> two("vmas-2");
const KindOf<Mappings<100>> hundred("vmas-100");
const KindOf<Mappings<5000>> many("vmas-5000");
const KindOf<Sparse> sparse("sparse");
const KindOf<Reserved> reserved("reserved");

}  // namespace
