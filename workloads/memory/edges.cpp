// SPDX-License-Identifier: MIT
//
// Where one kind of memory ends and another begins, in space or in time: what home says of one must
// not be taken for the other.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

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
using mosrig::guest::KindOf;
using mosrig::guest::map_private;
using mosrig::guest::same_bytes;

constexpr size_t page = 4096;
constexpr size_t file_size = 8 * page;

// A file full of bytes that follow from `seed`; -1 with errno.
int full_file(uint64_t seed) {
    static unsigned char content[file_size];
    fill_bytes(content, file_size, seed);
    const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
    return fd >= 0 && pwrite(fd, content, file_size, 0) == file_size ? fd : -1;
}

// Two new pages lie right in front of a view of a file. That there is nothing in the second says
// nothing of the file, which nobody has looked at yet either.
class BeforeFile final : public Arrival {
  public:
    using Arrival::Arrival;

  protected:
    const char* prepare() override {
        const int fd = full_file(3);
        fresh_ = map_private(2 * page + file_size);
        if (fd < 0 || fresh_ == nullptr ||
            mmap(fresh_ + 2 * page, file_size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
                MAP_FAILED) {
            return failed("a view of a file");
        }
        fresh_[0] = 1;
        return nullptr;
    }

    const char* act() override {
        fresh_[page] = 2;
        return same_bytes(fresh_ + 2 * page, file_size, 3) ? nullptr : "the view of the file";
    }

    const char* check() override {
        return fresh_[0] == 1 && fresh_[page] <= 2 ? nullptr : "the pages before the file";
    }

  private:
    unsigned char* fresh_ = nullptr;
};

// A page of a private view is made zero, which home knows and does not send; once the view is given
// back, the file is there again.
class GivenBack final : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        const int fd = full_file(4);
        void* const view =
            fd < 0 ? MAP_FAILED
                   : mmap(nullptr, file_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        if (view == MAP_FAILED) {
            return failed("a view of a file");
        }
        view_ = static_cast<unsigned char*>(view);
        memset(view_ + page, 0, page);
        return nullptr;
    }

  protected:
    const char* act() override {
        for (size_t at = page; at < 2 * page; ++at) {
            if (view_[at] != 0) {
                return "the page that was made zero";
            }
        }
        if (madvise(view_, file_size, MADV_DONTNEED) != 0) {
            return failed("madvise");
        }
        if (!same_bytes(view_, file_size, 4)) {
            return "the file is not back in its view";
        }
        memset(view_ + page, 0, page);
        return nullptr;
    }

  private:
    unsigned char* view_ = nullptr;
};

// A big memory moves to where another one was until a moment ago, whose pages are still coming.
class MovedOver final : public Arrival {
  public:
    using Arrival::Arrival;

  protected:
    const char* prepare() override {
        // What is behind keeps it from growing where it is.
        old_ = map_private(2 * size + page);
        if (old_ == nullptr) {
            return failed("mmap");
        }
        mine_ = old_ + size;
        fill(old_, 5);
        fill(mine_, 6);
        mine_[size] = 1;
        return nullptr;
    }

    const char* act() override {
        if (munmap(old_, size) != 0) {
            return failed("munmap");
        }
        void* const moved = mremap(mine_, size, size + page, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED) {
            return failed("mremap");
        }
        mine_ = static_cast<unsigned char*>(moved);
        return check();
    }

    const char* check() override {
        for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
            uint64_t seen = 0;
            memcpy(&seen, mine_ + at, sizeof seen);
            if (seen != word(at, 6)) {
                return seen >> seed_shift == 5 ? "a page of what was there before"
                                               : "a page of the memory that moved";
            }
        }
        return nullptr;
    }

  private:
    static constexpr size_t size = size_t{64} << 20U;

    static constexpr unsigned seed_shift = 60;

    static uint64_t word(size_t at, uint64_t seed) { return seed << seed_shift | at; }
    static void fill(unsigned char* to, uint64_t seed) {
        for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
            const uint64_t value = word(at, seed);
            memcpy(to + at, &value, sizeof value);
        }
    }

    unsigned char* old_ = nullptr;
    unsigned char* mine_ = nullptr;
};

const KindOf<BeforeFile> before_file("before-file");
const KindOf<GivenBack> given_back("given-back");
const KindOf<MovedOver> moved_over("moved-over");

}  // namespace
