// SPDX-License-Identifier: MIT
//
// All pages are written again in each turn, in their order: at any moment those behind the last one
// written are of the turn before, and no others are. A page that was left behind somewhere shows.
// Signals that others send are counted.
#include <cstdint>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/tally.h"
#include "workloads/memory/turns.h"

namespace {

using mosrig::guest::failed;

class Rewritten final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        start_ = reinterpret_cast<uint64_t*>(mosrig::guest::map_private(pages * page));
        if (start_ == nullptr) {
            return failed("mmap");
        }
        const char* const wrong = mosrig::guest::count_signals();
        return wrong != nullptr ? wrong : step();
    }

    bool command(const char* word) override {
        return mosrig::guest::tell_signals(word) || Holder::command(word);
    }

    [[nodiscard]] int patience_ms() const override { return 0; }

  protected:
    const char* step() override {
        const char* const wrong = mosrig::guest::turn_pages(start_, pages, turn_ + 1);
        turn_ += wrong == nullptr ? 1 : 0;
        return wrong;
    }

  private:
    static constexpr size_t page = 4096;
    static constexpr size_t pages = 8192;

    uint64_t* start_ = nullptr;
    uint64_t turn_ = 0;
};

const mosrig::guest::KindOf<Rewritten> rewritten("rewritten");

}  // namespace
