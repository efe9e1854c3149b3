// SPDX-License-Identifier: MIT
//
// A file that another process maps writable and shared, all the time: whoever maps it, too, has to
// see what the other writes there, and does so at home alone.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workloads/lib/bytes.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::KindOf;
using mosrig::guest::same_bytes;

constexpr size_t page = 4096;
// The first page is written by whoever may, of the rest two in each turn.
constexpr size_t pages = 64;
constexpr size_t size = pages * page;
constexpr unsigned own_seed = 1U << 20U;

template <int protection, int flags>
class WrittenFile final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (const char* wrong = fd_ < 0 ? begin() : nullptr; wrong != nullptr) {
            return wrong;
        }
        void* const view = mosrig::guest::map_to_read(fd_, size, protection, flags);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = static_cast<unsigned char*>(view);
        if ((protection & PROT_WRITE) != 0) {
            fill_bytes(view_, page, own_seed);
        }
        return see_what_is_written();
    }

    const char* release() override {
        if (munmap(view_, size) != 0) {
            return failed("munmap");
        }
        view_ = nullptr;
        return nullptr;
    }

  protected:
    const char* check() override { return view_ != nullptr ? see_what_is_written() : nullptr; }

  private:
    const char* begin() {
        fd_ = mosrig::guest::scratch_file(O_CLOEXEC);
        if (fd_ < 0) {
            return failed("a file");
        }
        if ((flags & MAP_SHARED) != 0 && mosrig::guest::in_memory(fd_)) {
            return "the files of this node are in memory, and stay for that";
        }
        if (ftruncate(fd_, size) != 0 || (fd_ = mosrig::guest::only_to_read(fd_)) < 0) {
            return failed("the file");
        }
        if (const char* wrong = helper_.start(write, write, this); wrong != nullptr) {
            return wrong;
        }
        return let_write();
    }

    // One of the pages that the other writes was looked at after it had written that before, and
    // the other has not been looked at.
    static size_t known_page(unsigned turn) { return fresh_page(turn - 1); }
    static size_t fresh_page(unsigned turn) { return 1 + turn % (pages - 1); }

    const char* let_write() {
        ++turn_;
        return helper_.act();
    }

    const char* see_what_is_written() {
        if (const char* wrong = let_write(); wrong != nullptr) {
            return wrong;
        }
        if (!same_bytes(view_ + known_page(turn_) * page, page, turn_)) {
            return "the view does not show what was written again";
        }
        if (!same_bytes(view_ + fresh_page(turn_) * page, page, turn_)) {
            return "the view does not show what was written where nobody had looked";
        }
        const bool own = (protection & PROT_WRITE) != 0;
        return same_bytes(view_, page, own ? own_seed : turn_) ? nullptr : "the first page";
    }

    // The other's part, with a count and a view of its own.
    static const char* write(void* data) {
        auto& self = *static_cast<WrittenFile*>(data);
        if (self.view_ == nullptr) {
            const int writer = mosrig::guest::reopen(self.fd_, O_RDWR);
            void* const theirs = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
            (void)close(writer);
            if (theirs == MAP_FAILED) {
                return failed("mmap by the other");
            }
            self.view_ = static_cast<unsigned char*>(theirs);
        }
        ++self.turn_;
        for (const size_t number : {size_t{0}, known_page(self.turn_), fresh_page(self.turn_)}) {
            fill_bytes(self.view_ + number * page, page, self.turn_);
        }
        return nullptr;
    }

    mosrig::guest::Helper helper_;
    int fd_ = -1;
    unsigned char* view_ = nullptr;
    unsigned turn_ = 0;
};

const KindOf<WrittenFile<PROT_READ | PROT_WRITE, MAP_PRIVATE>> private_view("written-file");
const KindOf<WrittenFile<PROT_READ, MAP_SHARED>> reader("written-file-readonly");

}  // namespace
