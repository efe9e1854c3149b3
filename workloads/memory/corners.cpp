// SPDX-License-Identifier: MIT
//
// Calls and registers at the edge of what a program may do, each at a word of its own: home and the
// node that the process is on could understand them differently.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

constexpr size_t page = 4096;

class Corners final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override { return nullptr; }

    bool command(const char* word) override {
        constexpr mosrig::guest::Part parts[] = {
            {"NOTHING", of_no_length},       {"HOLES", over_holes},
            {"SPLIT", split_otherwise},      {"STACK_ADVICE", advise_on_stack},
            {"STACK_GUARD", guard_on_stack}, {"PEAK", peak}};
        return mosrig::guest::answer_part(parts, word) || Holder::command(word);
    }

  private:
    // A length of nothing is done at once, and changes nothing.
    static const char* of_no_length() {
        unsigned char* const memory = mosrig::guest::map_private(page);
        if (memory == nullptr) {
            return failed("mmap");
        }
        mosrig::guest::fill_bytes(memory, page, 7);
        if (madvise(memory, 0, MADV_DONTNEED) != 0 || madvise(memory, 0, MADV_FREE) != 0 ||
            mprotect(nullptr, 0, PROT_NONE) != 0 || mprotect(memory, 0, PROT_NONE) != 0) {
            return failed("a call on memory of no length");
        }
        if (munmap(memory, 0) == 0 || errno != EINVAL) {
            return "munmap of no length";
        }
        const bool same = mosrig::guest::same_bytes(memory, page, 7);
        return munmap(memory, page) != 0 ? failed("munmap")
               : same                    ? nullptr
                                         : "a call of no length changed memory";
    }

    // Where nothing is mapped, and where nothing can be.
    static const char* over_holes() {
        unsigned char* const memory = mosrig::guest::map_private(3 * page);
        if (memory == nullptr || munmap(memory + page, page) != 0) {
            return failed("a mapping with a hole");
        }
        for (const int advice : {MADV_DONTNEED, MADV_FREE}) {
            if (madvise(memory, 3 * page, advice) == 0 || errno != ENOMEM) {
                return "an advice over a hole";
            }
        }
        // The kernel's half.
        auto* const beyond = reinterpret_cast<void*>(~uintptr_t{0} << 47U);  // NOLINT
        if (madvise(beyond, page, MADV_DONTNEED) == 0 || errno != ENOMEM) {
            return "an advice on memory that nobody can have";
        }
        return munmap(memory, 3 * page) != 0 ? failed("munmap") : nullptr;
    }

    // Advices divide a mapping at home, and not elsewhere. Where mremap refuses to move the parts
    // together, the program copies them.
    static const char* split_otherwise() {
        constexpr size_t size = 64 * page;
        unsigned char* const memory = mosrig::guest::map_private(size);
        if (memory == nullptr) {
            return failed("mmap");
        }
        mosrig::guest::fill_bytes(memory, size, 11);
        if (madvise(memory + page, size - page, MADV_HUGEPAGE) != 0 && errno != EINVAL) {
            return failed("madvise");
        }
        if (madvise(memory + 8 * page, 8 * page, MADV_DONTDUMP) != 0) {
            return failed("madvise");
        }
        void* moved = mremap(memory, size, 2 * size, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED && errno == EFAULT) {
            moved = mosrig::guest::map_private(2 * size);
            if (moved == nullptr) {
                return failed("mmap");
            }
            memcpy(moved, memory, size);
            (void)munmap(memory, size);
        }
        if (moved == MAP_FAILED) {
            return failed("mremap");
        }
        auto* const bytes = static_cast<unsigned char*>(moved);
        bytes[2 * size - 1] = 1;
        const bool same = mosrig::guest::same_bytes(bytes, size, 11);
        return munmap(moved, 2 * size) != 0 ? failed("munmap")
               : same                       ? nullptr
                                            : "memory changed as it moved";
    }

    // Uses this much of the stack, below all that is in use. Where that is.
    [[gnu::noinline]] static unsigned char* deep_stack() {
        constexpr size_t depth = size_t{2} << 20U;
        unsigned char below[depth];
        for (size_t at = 0; at < depth; at += page) {
            below[at] = static_cast<unsigned char>(at / page);
        }
        asm volatile("" : : "r"(below) : "memory");
        const auto place = reinterpret_cast<uintptr_t>(below) + depth / 2;
        return reinterpret_cast<unsigned char*>(place / page * page);  // NOLINT: one of its pages
    }

    static const char* advise_on_stack() {
        unsigned char* const deep = deep_stack();
        if (madvise(deep, 16 * page, MADV_DONTNEED) != 0) {
            return failed("an advice on a stack that has grown");
        }
        for (size_t at = 0; at < 16 * page; at += page) {
            if (deep[at] != 0) {
                return "a part of the stack was to be emptied";
            }
        }
        return nullptr;
    }

    static const char* guard_on_stack() {
        unsigned char* const deep = deep_stack();
        if (mprotect(deep, page, PROT_NONE) != 0) {
            return failed("a guard on a stack that has grown");
        }
        int ends[2];
        if (pipe(ends) != 0) {
            return failed("pipe");
        }
        // The kernel's own look at it says whether it can be read.
        const bool read = write(ends[1], deep, 1) == 1;
        (void)close(ends[0]);
        (void)close(ends[1]);
        return mprotect(deep, page, PROT_READ | PROT_WRITE) != 0 ? failed("mprotect")
               : read ? "a guard on the stack keeps nobody off"
                      : nullptr;
    }

    // What getrusage says of memory that was there, and is gone.
    static const char* peak() {
        constexpr size_t size = size_t{96} << 20U;
        constexpr long kib = 1024;
        unsigned char* const memory = mosrig::guest::map_private(size);
        struct rusage before = {};
        struct rusage after = {};
        (void)getrusage(RUSAGE_SELF, &before);
        if (memory == nullptr) {
            return failed("mmap");
        }
        for (size_t at = 0; at < size; at += page) {
            memory[at] = 1;
        }
        if (munmap(memory, size) != 0 || getrusage(RUSAGE_SELF, &after) != 0) {
            return failed("munmap, getrusage");
        }
        if (after.ru_maxrss < static_cast<long>(size) / kib) {
            return differs("the most memory, in KiB", after.ru_maxrss,
                           static_cast<long>(size) / kib);
        }
        // At home each may be of more pages than one.
        return after.ru_minflt <= before.ru_minflt
                   ? differs("faults", after.ru_minflt, before.ru_minflt)
                   : nullptr;
    }
};

const mosrig::guest::KindOf<Corners> corners("corners");

}  // namespace
