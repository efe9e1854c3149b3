// SPDX-License-Identifier: MIT
//
// Somebody sets a limit, for this process or for all, and the program changes its memory before it
// makes a call that home could see: what it was given stays its own, here and at home.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::number_after;
using mosrig::guest::write_text;

constexpr size_t page = 4096;
constexpr size_t mib = size_t{1} << 20U;
constexpr size_t small_size = mib;
// As much as a process may take without asking home.
constexpr size_t large_size = 256 * mib;

constexpr const char* policy_file = "/proc/sys/vm/overcommit_memory";
constexpr const char* limit_file = "/proc/sys/vm/overcommit_kbytes";

// What the handler has, and has done.
unsigned char* arena;
unsigned char* taken;
unsigned char* taken_too;
unsigned char* grown;
volatile sig_atomic_t done;
volatile sig_atomic_t refused;

// By the helper: does that once the other computes, and is in no call that could tell it of a
// limit, and then lets its handler run.
template <const char* (*deed)()>
const char* amid(void* /*data*/) {
    const char* wrong = mosrig::guest::await_no_call(getppid());
    wrong = wrong != nullptr ? wrong : deed();
    const char* const untold = kill(getppid(), SIGUSR1) != 0 ? failed("kill") : nullptr;
    return wrong != nullptr ? wrong : untold;
}

const char* set_limit(int which, rlim_t bytes) {
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    return prlimit(getppid(), static_cast<__rlimit_resource>(which), &limit, nullptr) != 0
               ? failed("prlimit")
               : nullptr;
}

template <int which>
const char* narrow() {
    return set_limit(which, page);
}

template <int which>
const char* widen(void* /*data*/) {
    return set_limit(which, RLIM_INFINITY);
}

// Of all memory that may be promised, little is left.
const char* forbid_promises() {
    constexpr long left_kib = 32L * 1024;
    static char text[4096];
    char limit[32];
    (void)mosrig::guest::read_text("/proc/meminfo", text, sizeof text);
    const long wanted = number_after(text, "Committed_AS:") + left_kib;
    const long beside = number_after(text, "SwapTotal:");
    // None would be a share of the memory instead.
    (void)snprintf(limit, sizeof limit, "%ld", wanted > beside ? wanted - beside : 1);
    return write_text(limit_file, limit) && write_text(policy_file, "2") ? nullptr
                                                                         : failed("overcommit");
}

const char* allow_promises(void* /*data*/) {
    const bool as_before = write_text(policy_file, "0");
    return write_text("/proc/sys/vm/overcommit_ratio", "50") && as_before ? nullptr
                                                                          : failed("overcommit");
}

void take_memory(int /*signal*/) {
    taken = mosrig::guest::map_private(small_size);
    refused = taken == nullptr;
    done = 1;
}

void open_arena(int /*signal*/) {
    refused = mprotect(arena, small_size, PROT_READ | PROT_WRITE) != 0;
    done = 1;
}

// What comes first may yet be promised.
void take_much(int /*signal*/) {
    taken = mosrig::guest::map_private(large_size);
    taken_too = mosrig::guest::map_private(large_size);
    const bool higher = sbrk(large_size) != reinterpret_cast<void*>(-1);  // NOLINT: sbrk's answer
    void* const more = mremap(grown, small_size, large_size, MREMAP_MAYMOVE);
    const bool longer = more != MAP_FAILED;
    grown = longer ? static_cast<unsigned char*>(more) : grown;
    refused = taken == nullptr || taken_too == nullptr || !higher || !longer ||
              mprotect(arena, large_size, PROT_READ | PROT_WRITE) != 0;
    done = 1;
}

bool give_back(unsigned char* memory, size_t size) {
    return memory == nullptr || munmap(memory, size) == 0;
}

// Home can write there, and so can the program.
const char* use(unsigned char* memory, size_t size) {
    const int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    const size_t last = size - page;
    memory[0] = 1;
    const bool whole = read(zeros, memory + last, page) == static_cast<ssize_t>(page);
    (void)close(zeros);
    return !whole ? failed("read into it") : memory[0] != 1 ? "memory changed" : nullptr;
}

class Limited final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const char* wrong = by_size_.start(amid<narrow<RLIMIT_AS>>, widen<RLIMIT_AS>, nullptr);
        wrong = wrong != nullptr
                    ? wrong
                    : by_data_.start(amid<narrow<RLIMIT_DATA>>, widen<RLIMIT_DATA>, nullptr);
        return wrong != nullptr ? wrong
                                : by_all_.start(amid<forbid_promises>, allow_promises, nullptr);
    }

    bool command(const char* word) override {
        const char* wrong = nullptr;
        if (strcmp(word, "LIMIT") == 0) {
            wrong = limited();
        } else if (strcmp(word, "OPEN") == 0) {
            wrong = opened();
        } else if (strcmp(word, "PROMISES") == 0) {
            wrong = promised();
        } else {
            return Holder::command(word);
        }
        mosrig::guest::answer(wrong);
        return true;
    }

  private:
    // Has the helper act while this process computes, and the handler run then.
    static const char* change(mosrig::guest::Helper& helper, void (*handler)(int)) {
        struct sigaction action = {};
        action.sa_handler = handler;
        if (sigaction(SIGUSR1, &action, nullptr) != 0) {
            return failed("sigaction");
        }
        taken = nullptr;
        taken_too = nullptr;
        done = 0;
        const char* const wrong = helper.act(done);
        // At home the limit holds at once.
        const bool away = mosrig::guest::place_of(getpid()) != 0;
        return wrong != nullptr || !(away && refused != 0) ? wrong : "refused before home knew";
    }

    static const char* set_arena(size_t size) {
        arena = static_cast<unsigned char*>(
            mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        return arena == MAP_FAILED ? failed("mmap") : nullptr;
    }

    const char* limited() {
        const char* wrong = change(by_size_, take_memory);
        if (wrong == nullptr && refused == 0) {
            wrong = use(taken, small_size);
        }
        const void* const more = mosrig::guest::map_private(page);
        const bool none = more == nullptr && errno == ENOMEM;
        if (!give_back(taken, small_size)) {
            return failed("munmap");
        }
        const char* const undone = by_size_.undo();
        wrong = wrong != nullptr ? wrong : undone;
        return wrong != nullptr || none ? wrong : "memory above a limit";
    }

    const char* opened() {
        if (const char* const wrong = set_arena(2 * small_size); wrong != nullptr) {
            return wrong;
        }
        const char* wrong = change(by_data_, open_arena);
        if (wrong == nullptr && refused == 0) {
            wrong = use(arena, small_size);
        }
        const bool none = mprotect(arena + small_size, page, PROT_READ | PROT_WRITE) != 0;
        const bool why = errno == ENOMEM;
        const char* const undone = by_data_.undo();
        wrong = wrong != nullptr ? wrong : undone;
        if (munmap(arena, 2 * small_size) != 0) {
            return failed("munmap");
        }
        return wrong != nullptr || (none && why) ? wrong : "data above a limit";
    }

    const char* promised() {
        if (const char* const wrong = set_arena(large_size); wrong != nullptr) {
            return wrong;
        }
        auto* const heap = static_cast<unsigned char*>(sbrk(0));
        grown = mosrig::guest::map_private(small_size);
        if (grown == nullptr) {
            return failed("mmap");
        }
        const char* wrong = change(by_all_, take_much);
        if (wrong == nullptr && refused == 0) {
            wrong = use(taken, large_size);
            wrong = wrong != nullptr ? wrong : use(taken_too, large_size);
            wrong = wrong != nullptr ? wrong : use(arena, large_size);
            wrong = wrong != nullptr ? wrong : use(heap, large_size);
            wrong = wrong != nullptr ? wrong : use(grown, large_size);
        }
        const void* const more = mosrig::guest::map_private(large_size);
        const bool none = more == nullptr && errno == ENOMEM;
        const char* const undone = by_all_.undo();
        wrong = wrong != nullptr ? wrong : undone;
        const bool returned = brk(heap) == 0 && munmap(arena, large_size) == 0 &&
                              give_back(taken, large_size) && give_back(taken_too, large_size) &&
                              give_back(grown, large_size);
        if (!returned) {
            return failed("brk, munmap");
        }
        return wrong != nullptr || none ? wrong : "more memory than may be promised";
    }

    mosrig::guest::Helper by_size_;
    mosrig::guest::Helper by_data_;
    mosrig::guest::Helper by_all_;
};

const mosrig::guest::KindOf<Limited> limited("limited");

}  // namespace
