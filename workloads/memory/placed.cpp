// SPDX-License-Identifier: MIT
//
// A program that says where its memory is to be, away: where nothing is, or over what is there; and
// that leaves its place empty. Some of that comes home for the call.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::Arrival;
using mosrig::guest::Deed;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::is_empty;
using mosrig::guest::is_unmapped;
using mosrig::guest::KindOf;
using mosrig::guest::map_private;
using mosrig::guest::same_bytes;

constexpr size_t page = 4096;
constexpr size_t size = 16 * page;

// Memory that must be at an address, unless something is there; and memory that is there at once.
class Placed final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        static unsigned char content[size];
        fill_bytes(content, size, file_seed);
        const int file = mosrig::guest::scratch_file(O_CLOEXEC);
        home_ = map_private(size);
        if (file < 0 || home_ == nullptr || pwrite(file, content, size, 0) != size ||
            (fd_ = mosrig::guest::only_to_read(file)) < 0) {
            return failed("memory and a file");
        }
        fill_bytes(home_, size, home_seed);
        void* const view = mosrig::guest::map_to_read(fd_, size, PROT_READ, MAP_PRIVATE);
        view_ = static_cast<unsigned char*>(view);
        return view == MAP_FAILED ? failed("a view of a file") : nullptr;
    }

  protected:
    const char* act() override {
        if (turn_++ > 0 && (munmap(own_, size) != 0 || munmap(populated_, size) != 0 ||
                            munmap(read_, size) != 0)) {
            return failed("munmap");
        }
        own_ = map_private(size);
        if (own_ == nullptr) {
            return failed("mmap");
        }
        fill_bytes(own_, behind, own_seed());
        fill_bytes(own_ + behind, size - behind, own_seed());
        // Of home, of a file of home's, and of the node that it is on.
        for (unsigned char* const memory : {home_, view_, own_}) {
            if (const char* wrong = place_where_taken(memory); wrong != nullptr) {
                return wrong;
            }
        }
        const char* wrong = check_others();
        wrong = wrong != nullptr ? wrong : place_in_hole();
        wrong = wrong != nullptr ? wrong : populate();
        return wrong != nullptr ? wrong : check();
    }

    const char* check() override {
        if (const char* wrong = check_others(); wrong != nullptr || turn_ == 0) {
            return wrong;
        }
        if (!same_bytes(own_ + hole, page, own_seed() + 1)) {
            return "the memory that was put where nothing was";
        }
        if (!same_bytes(populated_, half, own_seed() + 2) ||
            !is_empty(populated_ + half, size - half)) {
            return "the memory that was there at once";
        }
        return same_bytes(read_, size, file_seed) ? nullptr : "the file that was there at once";
    }

  private:
    static constexpr uint64_t home_seed = 1;
    static constexpr uint64_t file_seed = 2;
    static constexpr size_t hole = 5 * page;
    static constexpr size_t behind = hole + page;
    static constexpr size_t half = size / 2;

    static void* put(unsigned char* at, size_t count, int flags) {
        return mmap(at, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    }

    // All of it, a part, and as much again as is before and behind it.
    static const char* place_where_taken(unsigned char* memory) {
        const struct {
            unsigned char* at;
            size_t count;
        } places[] = {{memory, size},
                      {memory + page, page},
                      {memory - page, 2 * page},
                      {memory + size - page, 2 * page}};
        for (const auto& place : places) {
            if (put(place.at, place.count, MAP_FIXED_NOREPLACE) != MAP_FAILED) {
                return "memory was put where something is";
            }
            if (errno != EEXIST) {
                return failed("memory put where something is");
            }
        }
        return nullptr;
    }

    const char* place_in_hole() {
        if (munmap(own_ + hole, page) != 0 || !is_unmapped(own_ + hole, page)) {
            return "a hole in memory";
        }
        void* const placed = put(own_ + hole, page, MAP_FIXED_NOREPLACE);
        if (placed != own_ + hole) {
            return placed == MAP_FAILED ? failed("memory put where nothing is")
                                        : "memory is elsewhere than where it was to be put";
        }
        if (!is_empty(own_ + hole, page)) {
            return "new memory where something was";
        }
        fill_bytes(own_ + hole, page, own_seed() + 1);
        return nullptr;
    }

    // In the place of memory that the process has written there.
    const char* populate() {
        unsigned char resident[size / page] = {};
        populated_ = map_private(size);
        if (populated_ == nullptr) {
            return failed("mmap");
        }
        fill_bytes(populated_, size, own_seed() + 3);
        if (put(populated_, size, MAP_FIXED | MAP_POPULATE) != populated_ ||
            mincore(populated_, size, resident) != 0) {
            return failed("memory that is there at once");
        }
        for (const unsigned char byte : resident) {
            if ((byte & 1U) == 0) {
                return "memory that was to be there at once is not";
            }
        }
        if (!is_empty(populated_, size)) {
            return "new memory shows what was there";
        }
        fill_bytes(populated_, half, own_seed() + 2);
        void* const read =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd_, 0);
        read_ = static_cast<unsigned char*>(read);
        return read == MAP_FAILED ? failed("a file that is there at once") : nullptr;
    }

    // What nothing was to change.
    [[nodiscard]] const char* check_others() const {
        if (!same_bytes(home_, size, home_seed)) {
            return "the memory that was there before";
        }
        if (!same_bytes(view_, size, file_seed)) {
            return "the view that was there before";
        }
        const bool same = turn_ == 0 || (same_bytes(own_, hole, own_seed()) &&
                                         same_bytes(own_ + behind, size - behind, own_seed()));
        return same ? nullptr : "the memory around the hole";
    }

    [[nodiscard]] uint64_t own_seed() const { return 100 + 4 * uint64_t{turn_}; }

    unsigned char* home_ = nullptr;
    unsigned char* view_ = nullptr;
    unsigned char* own_ = nullptr;
    unsigned char* populated_ = nullptr;
    unsigned char* read_ = nullptr;
    int fd_ = -1;
    unsigned turn_ = 0;
};

// A part of a big memory moves into the middle of another one, while both are on their way.
class MovedInto final : public Arrival {
  public:
    using Arrival::Arrival;

  protected:
    const char* prepare() override {
        into_ = map_private(big);
        from_ = map_private(big);
        if (into_ == nullptr || from_ == nullptr) {
            return failed("mmap");
        }
        fill(into_, 5);
        fill(from_, 6);
        return nullptr;
    }

    const char* act() override {
        void* const moved =
            mremap(from_ + half, part, part, MREMAP_MAYMOVE | MREMAP_FIXED, into_ + quarter);
        if (moved != into_ + quarter) {
            return moved == MAP_FAILED ? failed("mremap") : "where the memory has moved";
        }
        moved_ = true;
        return is_unmapped(from_ + half, part) ? check() : "the memory is still where it was";
    }

    const char* check() override {
        const size_t length = moved_ ? part : 0;
        if (!is_right(into_ + quarter, half, length, 6)) {
            return "the memory that moved";
        }
        if (!is_right(into_, 0, quarter, 5) ||
            !is_right(into_ + quarter + length, quarter + length, big - quarter - length, 5)) {
            return "the memory around where it moved";
        }
        return is_right(from_, 0, half, 6) &&
                       is_right(from_ + half + length, half + length, big - half - length, 6)
                   ? nullptr
                   : "the memory around where it was";
    }

  private:
    static constexpr size_t big = size_t{32} << 20U;
    static constexpr size_t half = big / 2;
    static constexpr size_t quarter = big / 4;
    static constexpr size_t part = size_t{8} << 20U;
    static constexpr unsigned seed_shift = 60;

    static void fill(unsigned char* to, uint64_t seed) {
        for (size_t at = 0; at < big; at += sizeof(uint64_t)) {
            const uint64_t value = seed << seed_shift | at;
            memcpy(to + at, &value, sizeof value);
        }
    }
    // Whether there is what fill() has put there, from some place of it on.
    static bool is_right(const unsigned char* memory, size_t place, size_t count, uint64_t seed) {
        for (size_t at = 0; at < count; at += sizeof(uint64_t)) {
            uint64_t seen = 0;
            memcpy(&seen, memory + at, sizeof seen);
            if (seen != (seed << seed_shift | (place + at))) {
                return false;
            }
        }
        return true;
    }

    unsigned char* into_ = nullptr;
    unsigned char* from_ = nullptr;
    bool moved_ = false;
};

// Memory moves and leaves its place mapped, as if nobody had ever written there.
class LeftEmpty final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override { return nullptr; }

  protected:
    // In odd turns it is memory that is made there, in even ones what has come there.
    const char* act() override {
        if (left_ != nullptr && munmap(left_, size) != 0) {
            return failed("munmap");
        }
        if (++turn_ % 2 != 0) {
            if (memory_ != nullptr && munmap(memory_, size) != 0) {
                return failed("munmap");
            }
            memory_ = map_private(size);
            if (memory_ == nullptr) {
                return failed("mmap");
            }
            seed_ = turn_;
            fill_bytes(memory_, size, seed_);
        }
        void* const moved = mremap(memory_, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, nullptr);
        if (moved == MAP_FAILED) {
            return failed("mremap");
        }
        left_ = memory_;
        memory_ = static_cast<unsigned char*>(moved);
        if (memory_ == left_ || !is_empty(left_, size)) {
            return "the place that was left";
        }
        fill_bytes(left_, size, turn_ + other_seed);
        return check();
    }

    const char* check() override {
        if (left_ == nullptr) {
            return nullptr;
        }
        if (!same_bytes(memory_, size, seed_)) {
            return "the memory that moved";
        }
        return same_bytes(left_, size, turn_ + other_seed) ? nullptr
                                                           : "what was written where it had been";
    }

  private:
    static constexpr uint64_t other_seed = 1000;

    unsigned char* memory_ = nullptr;
    unsigned char* left_ = nullptr;
    uint64_t seed_ = 0;
    unsigned turn_ = 0;
};

const KindOf<Placed> placed("placed");
const KindOf<MovedInto> moved_into("moved-into");
const KindOf<LeftEmpty> left_empty("left-empty");

}  // namespace
