// SPDX-License-Identifier: MIT
//
// What a child gets of its parent's memory is the parent's choice. That is made away, of memory
// that is made there, too, and then grows and so has to move; the child is made at home.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

constexpr size_t page = 4096;
constexpr size_t size = 16 * page;
constexpr size_t grown = 2 * size;

class Inherited final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override { return nullptr; }

    bool command(const char* word) override {
        if (strcmp(word, "ADVISE") == 0) {
            mosrig::guest::answer(advise());
        } else if (strcmp(word, "FORK") == 0) {
            mosrig::guest::answer(make_child());
        } else {
            return Holder::command(word);
        }
        return true;
    }

  protected:
    // The advice is none to the parent.
    const char* check() override {
        for (size_t number = 0; number < blocks && turn_ > 0; ++number) {
            if (!is_whole(number)) {
                return "the parent's memory";
            }
        }
        return nullptr;
    }

  private:
    enum Block : size_t { kept_back, wiped, plain, blocks };

    const char* advise() {
        constexpr int advice[blocks] = {MADV_DONTFORK, MADV_WIPEONFORK, MADV_NORMAL};
        for (unsigned char* const block : block_) {
            if (turn_ > 0 && munmap(block, grown) != 0) {
                return failed("munmap");
            }
        }
        ++turn_;
        // They lie one behind the other, and what is last keeps the third from growing there.
        unsigned char* const start = mosrig::guest::map_private(blocks * size + page);
        if (start == nullptr) {
            return failed("mmap");
        }
        for (size_t number = 0; number < blocks; ++number) {
            unsigned char* const block = start + number * size;
            mosrig::guest::fill_bytes(block, size, seed_of(number));
            if (madvise(block, size, advice[number]) != 0) {
                return failed("madvise");
            }
        }
        for (size_t number = 0; number < blocks; ++number) {
            unsigned char* const block = start + number * size;
            void* const moved = mremap(block, size, grown, MREMAP_MAYMOVE);
            if (moved == MAP_FAILED) {
                return failed("mremap");
            }
            block_[number] = static_cast<unsigned char*>(moved);
            if (moved == block) {
                return "a block grows over the one behind it";
            }
            mosrig::guest::fill_bytes(block_[number] + size, size, seed_of(number) + 1);
        }
        return munmap(start + blocks * size, page) != 0 ? failed("munmap") : check();
    }

    const char* make_child() {
        const pid_t child = fork();
        if (child < 0) {
            return failed("fork");
        }
        if (child == 0) {
            _exit(look_in_child());
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child) {
            return failed("waitpid");
        }
        if (!WIFEXITED(status)) {
            return differs("the signal that ended the child", WTERMSIG(status), 0);
        }
        const int seen = WEXITSTATUS(status);
        return seen != 0 ? wrong_in_child[seen] : check();
    }

    // By its status.
    static constexpr const char* wrong_in_child[] = {
        nullptr, "the child has memory that was not for it", "the child has what was to be wiped",
        "the child has not what its parent has"};

    [[nodiscard]] int look_in_child() const {
        if (!mosrig::guest::is_unmapped(block_[kept_back], grown)) {
            return 1;
        }
        if (!mosrig::guest::is_empty(block_[wiped], grown)) {
            return 2;
        }
        return is_whole(plain) ? 0 : 3;
    }

    [[nodiscard]] bool is_whole(size_t number) const {
        return mosrig::guest::same_bytes(block_[number], size, seed_of(number)) &&
               mosrig::guest::same_bytes(block_[number] + size, size, seed_of(number) + 1);
    }

    [[nodiscard]] uint64_t seed_of(size_t number) const { return 2 * (turn_ * blocks + number); }

    unsigned char* block_[blocks] = {};
    unsigned turn_ = 0;
};

const mosrig::guest::KindOf<Inherited> inherited("inherited");

}  // namespace
