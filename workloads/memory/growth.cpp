// SPDX-License-Identifier: MIT
//
// Memory that comes, grows, moves, shrinks and goes while the program runs, wherever it is: of the
// heap, of mappings, of the stack. What was made away is used at home and the other way round.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::same_bytes;

constexpr size_t page = 4096;

// Some blocks live at any time, each for eight turns; in between they grow and shrink.
class Blocks final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return nullptr; }

  protected:
    const char* step() override {
        Block& block = blocks_[turn_ % count];
        const unsigned phase = turn_ / count % 4;
        ++turn_;
        switch (phase) {
            case 0:
                return make(block);
            case 1:
                return resize(block, block.size * 3);
            case 2:
                return empty(block);
            default:
                return drop(block);
        }
    }

    const char* check() override {
        for (const Block& block : blocks_) {
            if (block.start != nullptr && !same_bytes(block.start, block.filled, block.seed)) {
                return "a block changed";
            }
        }
        return nullptr;
    }

  private:
    static constexpr unsigned count = 8;
    struct Block {
        unsigned char* start = nullptr;
        size_t size = 0;
        size_t filled = 0;
        uint64_t seed = 0;
    };

    const char* make(Block& block) {
        block.size = (1UL + turn_ % 7) * 5 * page;
        void* view =
            mmap(nullptr, block.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        block.start = static_cast<unsigned char*>(view);
        return fill(block);
    }

    const char* fill(Block& block) {
        block.seed = turn_;
        block.filled = block.size;
        fill_bytes(block.start, block.filled, block.seed);
        return nullptr;
    }

    const char* resize(Block& block, size_t size) {
        if (!same_bytes(block.start, block.filled, block.seed)) {
            return "a block before it grows";
        }
        void* view = mremap(block.start, block.size, size, MREMAP_MAYMOVE);
        if (view == MAP_FAILED) {
            return failed("mremap");
        }
        block.start = static_cast<unsigned char*>(view);
        if (!same_bytes(block.start, block.filled, block.seed)) {
            return "a block that has grown";
        }
        for (size_t at = block.size; at < size; at += page) {
            if (block.start[at] != 0) {
                return "what a block has grown by is not zero";
            }
        }
        block.size = size;
        return fill(block);
    }

    // The second half is given up and comes back as zeros; the first stays.
    static const char* empty(Block& block) {
        const size_t half = block.size / 2 / page * page;
        if (madvise(block.start + half, block.size - half, MADV_DONTNEED) != 0) {
            return failed("MADV_DONTNEED");
        }
        for (size_t at = half; at < block.size; at += page / 2) {
            if (block.start[at] != 0) {
                return "memory that was given up came back";
            }
        }
        block.filled = half;
        return same_bytes(block.start, half, block.seed) ? nullptr : "memory that was not given up";
    }

    static const char* drop(Block& block) {
        // From the middle, so that the mapping falls in two first.
        const size_t third = block.size / 3 / page * page;
        if (munmap(block.start + third, page) != 0 || munmap(block.start, block.size) != 0) {
            return failed("munmap");
        }
        block = {};
        return nullptr;
    }

    Block blocks_[count];
    unsigned turn_ = 0;
};

// The heap proper, by its lowest call.
class Heap final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        start_ = static_cast<unsigned char*>(sbrk(0));
        return nullptr;
    }

  protected:
    const char* step() override {
        const size_t wanted = (1UL + turn_ % 9) * 3 * page + 123;
        if (!same_bytes(start_, size_, turn_)) {
            return "the heap";
        }
        if (brk(start_ + wanted) != 0) {
            return failed("brk");
        }
        for (size_t at = size_; at < wanted; ++at) {
            // Below the end of its page there may be what was there before.
            if (at >= (size_ + page - 1) / page * page && start_[at] != 0) {
                return "what the heap has grown by is not zero";
            }
        }
        size_ = wanted;
        fill_bytes(start_, size_, ++turn_);
        return nullptr;
    }

  private:
    unsigned char* start_ = nullptr;
    size_t size_ = 0;
    unsigned turn_ = 0;
};

// Deeper in each turn than in any before, and back.
class Stack final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return nullptr; }

  protected:
    const char* step() override {
        constexpr unsigned most = 100;
        turn_ = turn_ < most ? turn_ + 1 : most;
        return descend(turn_) == turn_ * (turn_ + 1UL) / 2 ? nullptr : "the stack";
    }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    static uint64_t descend(unsigned depth) {
        volatile unsigned char room[16 * page];
        for (size_t at = 0; at < sizeof room; at += page) {
            room[at] = static_cast<unsigned char>(depth);
        }
        const uint64_t below = depth == 0 ? 0 : descend(depth - 1);
        for (size_t at = 0; at < sizeof room; at += page) {
            if (room[at] != static_cast<unsigned char>(depth)) {
                return 0;
            }
        }
        return below + depth;
    }

    unsigned turn_ = 0;
};

const KindOf<Blocks> blocks("blocks");
const KindOf<Heap> heap("heap");
const KindOf<Stack> stack("stack");

}  // namespace
