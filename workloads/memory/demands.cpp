// SPDX-License-Identifier: MIT
//
// A process that away needs everything of its home all the time: pages that are there and pages
// that are not, changes of its mappings, calls with more data than a message holds, and signals
// while it computes. It counts those that others send. With past-the-end, pages that nobody can
// provide.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/tally.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::map_private;
using mosrig::guest::now_ms;

constexpr size_t page = 4096;

class Demands final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        file_ = mosrig::guest::scratch_file(O_CLOEXEC);
        untouched_ = map_private(blocks * block_size);
        unsigned char* const ballast = map_private(ballast_size);
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { rung_ = rung_ + 1; };
        action.sa_flags = SA_RESTART;
        struct itimerval bell = {};
        bell.it_interval.tv_usec = bell_ms * 1000;
        bell.it_value = bell.it_interval;
        if (file_ < 0 || untouched_ == nullptr || ballast == nullptr ||
            sigaction(SIGALRM, &action, nullptr) != 0 ||
            setitimer(ITIMER_REAL, &bell, nullptr) != 0) {
            return failed("a file, memory, a timer");
        }
        mosrig::guest::fill_bytes(ballast, ballast_size, 1);
        return mosrig::guest::count_signals();
    }

    bool command(const char* word) override {
        return mosrig::guest::tell_signals(word) || Holder::command(word);
    }

    // Steps follow each other closely: the time in which home is asked for new pages is short.
    [[nodiscard]] int patience_ms() const override { return 1; }

  protected:
    const char* step() override {
        // Once all is there, nobody asks home for a new page: so one comes between all the others.
        for (const auto part : {&Demands::touch, &Demands::remap, &Demands::touch,
                                &Demands::transfer, &Demands::touch}) {
            if (const char* const wrong = (this->*part)(); wrong != nullptr) {
                return wrong;
            }
        }
        // A signal that finds the process in a call takes another way.
        const int64_t end = now_ms() + 2 * bell_ms;
        const int before = rung_;
        while (now_ms() < end && rung_ == before) {
        }
        return nullptr;
    }

    const char* check() override {
        for (size_t at = 0; at < touched_ % blocks; ++at) {
            if (untouched_[at * block_size] != mark(at)) {
                return "a page that was new";
            }
        }
        return nullptr;
    }

  private:
    // So far apart that no answer about one page says anything of the next.
    static constexpr size_t block_size = 2UL << 20;
    static constexpr size_t blocks = 1024;
    // Takes longer to push than some steps.
    static constexpr size_t ballast_size = 24UL << 20;
    static constexpr size_t new_size = 16 * page;
    static constexpr size_t bulk = 192UL << 10;
    static constexpr long bell_ms = 70;

    static unsigned char mark(size_t at) { return static_cast<unsigned char>(at | 1); }

    const char* touch() {
        const size_t at = touched_ % blocks;
        if (at == 0 && madvise(untouched_, blocks * block_size, MADV_DONTNEED) != 0) {
            return failed("madvise");
        }
        unsigned char& first = untouched_[at * block_size];
        if (first != 0) {
            return "a new page is not empty";
        }
        first = mark(at);
        ++touched_;
        return nullptr;
    }

    const char* remap() {
        if (new_ != nullptr && (new_[page] != 1 || munmap(new_, new_size) != 0)) {
            return failed("the end of a mapping");
        }
        new_ = map_private(new_size);
        if (new_ == nullptr) {
            return failed("mmap");
        }
        new_[page] = 1;
        return nullptr;
    }

    const char* transfer() {
        mosrig::guest::fill_bytes(sent_, bulk, touched_);
        if (pwrite(file_, sent_, bulk, 0) != bulk || pread(file_, got_, bulk, 0) != bulk) {
            return failed("a long transfer");
        }
        return mosrig::guest::same_bytes(got_, bulk, touched_) ? nullptr : "a long transfer";
    }

    static inline volatile sig_atomic_t rung_;
    unsigned char sent_[bulk] = {};
    unsigned char got_[bulk] = {};
    unsigned char* untouched_ = nullptr;
    unsigned char* new_ = nullptr;
    size_t touched_ = 0;
    int file_ = -1;
};

// Each step reads where a mapped file has ended, and is told so by a signal.
class PastTheEnd final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        void* const view =
            fd < 0 ? MAP_FAILED : mmap(nullptr, 2 * page, PROT_READ, MAP_PRIVATE, fd, 0);
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { siglongjmp(back_, 1); };
        if (view == MAP_FAILED || sigaction(SIGBUS, &action, nullptr) != 0) {
            return failed("a mapped file");
        }
        view_ = static_cast<const unsigned char*>(view);
        return nullptr;
    }

  protected:
    const char* step() override {
        if (sigsetjmp(back_, 1) != 0) {
            return nullptr;
        }
        return *const_cast<const volatile unsigned char*>(view_) == 0 ? "a page of an empty file"
                                                                      : "a page of nothing";
    }

  private:
    static inline sigjmp_buf back_;
    const unsigned char* view_ = nullptr;
};

const KindOf<Demands> demands("demands");
const KindOf<PastTheEnd> past_the_end("past-the-end");

}  // namespace
