// SPDX-License-Identifier: MIT
//
// All pages are written again in each turn, in their order: at any moment those behind the last one
// written are of the turn before, and no others are. A page that was left behind somewhere shows.
// Signals that others send are counted.
#include <cstdint>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/tally.h"

namespace {

using mosrig::guest::differs;
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
        const uint64_t turn = turn_ + 1;
        for (size_t at = 0; at < pages; ++at) {
            volatile uint64_t& word = start_[at * (page / sizeof(uint64_t))];
            if (word != turn - 1) {
                return differs("turn of a page", static_cast<long long>(word),
                               static_cast<long long>(turn) - 1);
            }
            word = turn;
        }
        turn_ = turn;
        return nullptr;
    }

  private:
    static constexpr size_t page = 4096;
    static constexpr size_t pages = 8192;

    uint64_t* start_ = nullptr;
    uint64_t turn_ = 0;
};

const mosrig::guest::KindOf<Rewritten> rewritten("rewritten");

}  // namespace
