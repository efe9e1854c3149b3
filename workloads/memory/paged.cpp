// SPDX-License-Identifier: MIT
//
// Memory that somebody pages out again and again where this process runs. Each page is read before
// it is written: it has a place in swap, then, which says what it was before.
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/memory/turns.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ms;

class Paged final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        // Mapped first it lies above, and goes home after what is looked at; a page between keeps
        // them from being one mapping.
        ballast_ = mosrig::guest::map_private(ballast_size);
        unsigned char* const start = mosrig::guest::map_private((pages + 1) * page);
        start_ = reinterpret_cast<uint64_t*>(start);
        return start == nullptr || ballast_ == nullptr ||
                       mprotect(start + pages * page, page, PROT_NONE) != 0
                   ? failed("mmap")
                   : nullptr;
    }

    // FILL makes much memory that only this node has, and has all the rest come from swap again and
    // again; the way home is long, then.
    bool command(const char* word) override {
        if (strcmp(word, "FILL") != 0) {
            return Holder::command(word);
        }
        const char* const wrong = fill();
        mosrig::guest::answer(wrong != nullptr ? wrong : await_swap());
        return true;
    }

    [[nodiscard]] int patience_ms() const override { return 0; }

  protected:
    const char* step() override {
        const char* const wrong = mosrig::guest::turn_pages(start_, pages, turn_ + 1);
        turn_ += wrong == nullptr ? 1 : 0;
        return wrong;
    }

    const char* check() override {
        for (size_t at = 0; at < filled_; at += page) {
            size_t seen = 0;
            memcpy(&seen, ballast_ + at, sizeof seen);
            if (seen != at) {
                return "a page that was only on its way";
            }
        }
        return nullptr;
    }

  private:
    static constexpr size_t page = 4096;
    static constexpr size_t pages = 256;
    // Takes some seconds to follow, emulated.
    static constexpr size_t ballast_size = size_t{48} << 20U;

    // With new pages, of which swap knows nothing.
    const char* fill() {
        if (madvise(ballast_, ballast_size, MADV_DONTNEED) != 0) {
            return failed("madvise");
        }
        for (size_t at = 0; at < ballast_size; at += page) {
            memcpy(ballast_ + at, &at, sizeof at);
        }
        filled_ = ballast_size;
        return nullptr;
    }

    static bool at_home() {
        char text[8];
        return mosrig::guest::read_text("/proc/self/where", text, sizeof text) == 0 ||
               text[0] == '0';
    }

    static long from_swap() {
        struct rusage usage = {};
        return getrusage(RUSAGE_SELF, &usage) != 0 ? -1 : usage.ru_majflt;
    }

    // At home nobody does that.
    const char* await_swap() {
        constexpr int64_t most_ms = 40000;
        const long before = from_swap();
        const int64_t begin = now_ms();
        while (!at_home() && from_swap() - before <= static_cast<long>(pages)) {
            if (const char* wrong = step(); wrong != nullptr) {
                return wrong;
            }
            if (now_ms() - begin > most_ms) {
                return differs("pages that came from swap", from_swap() - before, pages);
            }
        }
        return nullptr;
    }

    unsigned char* ballast_ = nullptr;
    size_t filled_ = 0;
    uint64_t* start_ = nullptr;
    uint64_t turn_ = 0;
};

const mosrig::guest::KindOf<Paged> paged("paged");

}  // namespace
