// SPDX-License-Identifier: MIT
//
// A file of which the process has a private view, while somebody else maps it shared and writes to
// it there: a page that the process has not written itself is the file, as it is now.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workloads/lib/blocked.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::comes_home;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::KindOf;
using mosrig::guest::place_of;
using mosrig::guest::same_bytes;

constexpr size_t page = 4096;
constexpr size_t size = 8 * page;
// From here on the view is the file's; what is before, the process has written itself.
constexpr size_t shared_from = 2 * page;
constexpr unsigned own_seed = 1000;
constexpr int64_t soon_ms = 10000;

class FileMapped final : public mosrig::guest::Blocked {
  public:
    using Blocked::Blocked;

    const char* hold() override {
        const int file = mosrig::guest::scratch_file(O_CLOEXEC);
        if (file < 0 || ftruncate(file, size) != 0 ||
            (fd_ = mosrig::guest::only_to_read(file)) < 0) {
            return failed("a file");
        }
        void* const view =
            mosrig::guest::map_to_read(fd_, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = static_cast<unsigned char*>(view);
        return Blocked::hold();
    }

  protected:
    // Away it has both kinds of pages, and of the file's those of the last turn.
    const char* prepare() override {
        fill_bytes(view_, shared_from, turn() + own_seed);
        return turn() == 1 || same_bytes(view_ + shared_from, size - shared_from, turn() - 1)
                   ? nullptr
                   : "the view of the file before it is mapped";
    }

    const char* meanwhile(pid_t process) override {
        const int place = place_of(process);
        const int writer = mosrig::guest::reopen(fd_, O_RDWR);
        // What is only open for writing, a private view need not show.
        if (place_of(process) != place) {
            return differs("where it is, the file being open", place_of(process), place);
        }
        const int64_t begin = mosrig::guest::now_ms();
        void* const theirs = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
        const int64_t passed = mosrig::guest::now_ms() - begin;
        if (theirs == MAP_FAILED || close(writer) != 0) {
            return failed("mmap by the other");
        }
        if (passed > soon_ms) {
            return differs("ms to map the file", passed, soon_ms);
        }
        auto* const bytes = static_cast<unsigned char*>(theirs);
        fill_bytes(bytes, shared_from, own_seed - 1);
        fill_bytes(bytes + shared_from, size - shared_from, turn());
        if (const char* wrong = stays_for(process, "monkey"); wrong != nullptr) {
            return wrong;
        }
        if (stopped()) {
            return comes_home(process);
        }
        return place_of(process) != place
                   ? differs("where it is, in its call", place_of(process), place)
                   : nullptr;
    }

    const char* check() override {
        if (turn() > 0 && !same_bytes(view_, shared_from, turn() + own_seed)) {
            return "what the process itself wrote to its view";
        }
        return turn() == 0 || same_bytes(view_ + shared_from, size - shared_from, turn())
                   ? nullptr
                   : "the view does not show what was written to the file";
    }

  private:
    unsigned char* view_ = nullptr;
    int fd_ = -1;
};

const KindOf<FileMapped> file_mapped_in_a_call("file-mapped-in-a-call");
const KindOf<FileMapped, true> file_mapped_stopped("file-mapped-stopped");

}  // namespace
