// SPDX-License-Identifier: MIT
//
// Pages that nobody has touched before a call puts something into them, while the rest of a big
// memory is still on its way: what the call wrote is there when the program uses the page itself.
#include <sys/mman.h>
#include <unistd.h>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::map_private;
using mosrig::guest::same_bytes;

class Fresh final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        unsigned char* const rest = map_private(rest_pages * page);
        // Made later it lies lower, and what is pushed goes by here first.
        fresh_ = map_private(fresh_pages * page);
        if (rest == nullptr || fresh_ == nullptr || pipe(pipe_) != 0) {
            return failed("mmap, pipe");
        }
        fill_bytes(rest, rest_pages * page, 7);
        return nullptr;
    }

    // As many calls as can be, but not so many that no page is new any more when it moves.
    [[nodiscard]] int patience_ms() const override { return 1; }

  protected:
    // The head of one page comes through a call, and the rest of one that came long ago is written.
    const char* step() override {
        if (read_ < fresh_pages) {
            unsigned char head[head_size];
            fill_bytes(head, sizeof head, read_);
            if (write(pipe_[1], head, sizeof head) != head_size ||
                read(pipe_[0], fresh_ + read_ * page, head_size) != head_size) {
                return failed("a head through a pipe");
            }
            ++read_;
        }
        if (read_ == fresh_pages ? written_ < read_ : written_ + age < read_) {
            unsigned char* const start = fresh_ + written_ * page;
            start[page - 1] = static_cast<unsigned char>(written_ | 1);
            if (!same_bytes(start, head_size, written_)) {
                return "what a call wrote into a new page is lost";
            }
            ++written_;
        }
        return written_ == fresh_pages ? begin_again() : nullptr;
    }

    const char* check() override {
        for (size_t at = 0; at < written_; ++at) {
            if (fresh_[at * page + page - 1] != static_cast<unsigned char>(at | 1) ||
                !same_bytes(fresh_ + at * page, head_size, at)) {
                return "a page changed later";
            }
        }
        return nullptr;
    }

  private:
    static constexpr size_t page = 4096;
    static constexpr size_t rest_pages = 8192;
    static constexpr size_t fresh_pages = 2048;
    static constexpr ssize_t head_size = 16;
    static constexpr size_t age = 200;  // turns

    const char* begin_again() {
        read_ = 0;
        written_ = 0;
        return madvise(fresh_, fresh_pages * page, MADV_DONTNEED) != 0 ? failed("madvise")
                                                                       : nullptr;
    }

    unsigned char* fresh_ = nullptr;
    int pipe_[2] = {-1, -1};
    size_t read_ = 0;
    size_t written_ = 0;
};

const KindOf<Fresh> fresh("fresh");

}  // namespace
