// SPDX-License-Identifier: MIT
//
// A file that is written, mapped, and mapped over other memory while the process is away: home has
// the file, and the views are made there. What is made of them afterwards, is: pages written,
// hidden and forbidden, some unmapped, some replaced by plain memory or by nothing.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::same_bytes;

constexpr size_t page = 4096;
constexpr size_t file_pages = 64;
// Some seed of bytes, which no page of a file has.
constexpr uint64_t zeros = 0;
constexpr uint64_t unknown = 1;
constexpr uint64_t own_seed = 1U << 20U;

// Some memory, and what is to be in each of its pages.
class Pages {
  public:
    explicit Pages(size_t count) : count_(count) {}

    const char* mapped(void* start, const char* what) {
        start_ = static_cast<unsigned char*>(start);
        return start == MAP_FAILED ? failed(what) : nullptr;
    }
    [[nodiscard]] unsigned char* at(size_t number) const { return start_ + number * page; }

    void expect(size_t number, uint64_t seed) { seed_[number] = seed; }
    void write(size_t number, uint64_t seed) {
        fill_bytes(at(number), page, seed);
        expect(number, seed);
    }
    void forget(size_t first, size_t count) {
        for (size_t number = first; number < first + count; ++number) {
            expect(number, unknown);
        }
    }

    // In an order in which no page is next to the one before.
    [[nodiscard]] const char* compare(const char* what) const {
        long long wrong = 0;
        for (size_t turn = 0; turn < count_; ++turn) {
            // No count is a multiple of that, so each page has its turn.
            wrong += is_right(turn * 13 % count_) ? 0 : 1;
        }
        return wrong != 0 ? differs(what, wrong, 0) : nullptr;
    }

  private:
    [[nodiscard]] bool is_right(size_t number) const {
        const uint64_t seed = seed_[number];
        return seed == unknown || (seed == zeros ? mosrig::guest::is_empty(at(number), page)
                                                 : same_bytes(at(number), page, seed));
    }

    size_t count_;
    unsigned char* start_ = nullptr;
    uint64_t seed_[file_pages] = {};
};

class FileMappedAway final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        const int file = mosrig::guest::scratch_file(O_CLOEXEC);
        if (file < 0) {
            return failed("a file");
        }
        if (mosrig::guest::in_memory(file)) {
            return "the files of this node are in memory, and stay for that";
        }
        zeros_ = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        if (zeros_ < 0 || !write_file(file, 1) || (fd_ = mosrig::guest::only_to_read(file)) < 0) {
            return failed("the file");
        }
        return nullptr;
    }

  protected:
    const char* act() override {
        const char* wrong = ++turn_ > 1 ? let_go() : nullptr;
        wrong = wrong != nullptr ? wrong : rewrite_file();
        wrong = wrong != nullptr ? wrong : map();
        wrong = wrong != nullptr ? wrong : compare();
        wrong = wrong != nullptr ? wrong : change();
        return wrong != nullptr ? wrong : compare();
    }

    const char* check() override {
        if (turn_ == 0) {
            return nullptr;
        }
        const char* const wrong = compare();
        return wrong != nullptr ? wrong : look_at_protection();
    }

  private:
    // What becomes of parts of the private view: each of so many pages, from there on.
    static constexpr size_t spoilt = 10;
    static constexpr size_t forbidden = 20;
    static constexpr size_t hidden = 30;
    static constexpr size_t unmapped = 40;
    static constexpr size_t replaced = 48;
    static constexpr size_t part = 4;
    // The shared view begins with this page of the file.
    static constexpr size_t shared_from = 16;
    static constexpr size_t shared_pages = 32;
    // In the middle of anonymous memory there is a view of the file from this page on.
    static constexpr size_t over_at = 4;
    static constexpr size_t over_pages = 12;
    static constexpr size_t over_from = 8;
    static constexpr size_t around_pages = 24;

    [[nodiscard]] uint64_t file_seed(size_t number) const {
        // A third of its pages are of this turn.
        const unsigned turn = number % 3 == 0 ? turn_ : 0;
        return 100 + turn * file_pages + number;
    }

    // Writes every page of that number and its multiples, as they are to be in this turn.
    [[nodiscard]] bool write_file(int file, size_t step) const {
        unsigned char content[page];
        for (size_t number = 0; number < file_pages; number += step) {
            fill_bytes(content, page, file_seed(number));
            if (pwrite(file, content, page, static_cast<off_t>(number * page)) != page) {
                return false;
            }
        }
        return true;
    }

    // Nobody has a view of it, so it may be open for writing, and that must be over when it is
    // mapped: to map a file shared that somebody may write to is a reason to stay.
    [[nodiscard]] const char* rewrite_file() const {
        const int writer = mosrig::guest::reopen(fd_, O_WRONLY);
        const bool written = writer >= 0 && write_file(writer, 3);
        return close(writer) == 0 && written ? nullptr : failed("write to the file");
    }

    const char* map() {
        const char* wrong = private_.mapped(
            mmap(nullptr, file_pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd_, 0),
            "a private view");
        wrong = wrong != nullptr ? wrong
                                 : shared_.mapped(mmap(nullptr, shared_pages * page, PROT_READ,
                                                       MAP_SHARED, fd_, off_t{shared_from * page}),
                                                  "a shared view");
        wrong = wrong != nullptr
                    ? wrong
                    : around_.mapped(mmap(nullptr, around_pages * page, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                                     "anonymous memory");
        if (wrong != nullptr) {
            return wrong;
        }
        for (size_t number = 0; number < around_pages; ++number) {
            around_.write(number, own_seed + number);
        }
        if (mmap(around_.at(over_at), over_pages * page, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_FIXED, fd_, off_t{over_from * page}) != around_.at(over_at)) {
            return failed("a view over anonymous memory");
        }
        for (size_t number = 0; number < file_pages; ++number) {
            private_.expect(number, file_seed(number));
        }
        for (size_t number = 0; number < shared_pages; ++number) {
            shared_.expect(number, file_seed(shared_from + number));
        }
        for (size_t number = 0; number < over_pages; ++number) {
            around_.expect(over_at + number, file_seed(over_from + number));
        }
        return nullptr;
    }

    const char* change() {
        // Of each of its parts there are such pages and others.
        for (size_t number = 0; number < file_pages; number += 5) {
            private_.write(number, own_seed + turn_ * file_pages + number);
        }
        around_.write(over_at, own_seed + turn_);
        around_.write(over_at + over_pages - 1, own_seed + turn_ + 1);
        if (mprotect(private_.at(forbidden), part * page, PROT_READ) != 0 ||
            mprotect(private_.at(hidden), part * page, PROT_NONE) != 0) {
            return failed("mprotect");
        }
        for (size_t number = 0; number < part; ++number) {
            hidden_[number] = number % 5 == 0 ? own_seed + turn_ * file_pages + hidden + number
                                              : file_seed(hidden + number);
        }
        private_.forget(hidden, part);
        if (mmap(private_.at(replaced), part * page, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != private_.at(replaced)) {
            return failed("anonymous memory over a view");
        }
        for (size_t number = replaced; number < replaced + part; ++number) {
            private_.expect(number, zeros);
        }
        private_.write(replaced + 1, own_seed + turn_ + 2);
        private_.forget(unmapped, part);
        if (munmap(private_.at(unmapped), part * page) != 0) {
            return failed("munmap");
        }
        return map_what_cannot_be(private_.at(spoilt));
    }

    // A mapping over another one that the file refuses: what was there is gone all the same.
    const char* map_what_cannot_be(unsigned char* place) {
        private_.forget(spoilt, part);
        const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool refused =
            mmap(place, part * page, PROT_READ, MAP_PRIVATE | MAP_FIXED, socket, 0) == MAP_FAILED &&
            errno == ENODEV;
        return close(socket) != 0 || !refused ? failed("a view of a socket") : nullptr;
    }

    // The views, the file, and that there is nothing where a part is gone.
    [[nodiscard]] const char* compare() const {
        const char* wrong = private_.compare("wrong pages of the private view");
        wrong = wrong != nullptr ? wrong : shared_.compare("wrong pages of the shared view");
        wrong = wrong != nullptr
                    ? wrong
                    : around_.compare("wrong pages of a view over memory, and around it");
        if (wrong != nullptr) {
            return wrong;
        }
        unsigned char content[page];
        for (size_t number = 0; number < file_pages; ++number) {
            if (pread(fd_, content, page, static_cast<off_t>(number * page)) != page ||
                !same_bytes(content, page, file_seed(number))) {
                return "the file";
            }
        }
        return nullptr;
    }

    // Who cannot be given memory for a call comes home, so away nobody asks.
    [[nodiscard]] const char* look_at_protection() const {
        if (mosrig::guest::place_of(getpid()) > 0) {
            return nullptr;
        }
        for (size_t number = 0; number < part; ++number) {
            if (read(zeros_, private_.at(forbidden + number), page) != -1 || errno != EFAULT) {
                return "a page that may only be read can be written";
            }
            const auto* const name = reinterpret_cast<const char*>(private_.at(hidden + number));
            if (access(name, F_OK) != -1 || errno != EFAULT) {
                return "a hidden page can be read";
            }
        }
        return nullptr;
    }

    // Also of what could not be seen until now.
    const char* let_go() {
        if (!mosrig::guest::is_unmapped(private_.at(unmapped), part * page) ||
            !mosrig::guest::is_unmapped(private_.at(spoilt), part * page)) {
            return "something is where a part of the view was unmapped";
        }
        if (mprotect(private_.at(hidden), part * page, PROT_READ) != 0) {
            return failed("mprotect");
        }
        for (size_t number = 0; number < part; ++number) {
            private_.expect(hidden + number, hidden_[number]);
        }
        if (const char* wrong = private_.compare("wrong pages where a part was hidden");
            wrong != nullptr) {
            return wrong;
        }
        const bool gone = munmap(private_.at(0), file_pages * page) == 0 &&
                          munmap(shared_.at(0), shared_pages * page) == 0 &&
                          munmap(around_.at(0), around_pages * page) == 0;
        return gone ? nullptr : failed("munmap");
    }

    Pages private_{file_pages};
    Pages shared_{shared_pages};
    Pages around_{around_pages};
    uint64_t hidden_[part] = {};
    int zeros_ = -1;
    int fd_ = -1;
    unsigned turn_ = 0;
};

const mosrig::guest::KindOf<FileMappedAway> file_mapped_away("file-mapped-away");

}  // namespace
