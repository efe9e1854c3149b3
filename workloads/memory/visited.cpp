// SPDX-License-Identifier: MIT
//
// A word on the page that a move takes along first, which others write from outside: PLACE says
// where it is, WORD what is written there.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::Holder;
using mosrig::guest::KindOf;

struct Word {
    char bytes[9];
};

// Threads' own data lie just below what FS points at.
thread_local volatile Word visited_word = {"unseen.."};

class Visited final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        constexpr uintptr_t page = ~uintptr_t{4095};
        return (place() & page) != (reinterpret_cast<uintptr_t>(__builtin_thread_pointer()) & page)
                   ? "the threads' own data lie on another page than what FS points at"
                   : nullptr;
    }

    bool command(const char* word) override {
        char line[64];
        if (strcmp(word, "PLACE") == 0) {
            (void)snprintf(line, sizeof line, "%" PRIuPTR, place());
        } else if (strcmp(word, "WORD") == 0) {
            Word seen = {};
            for (size_t at = 0; at < sizeof seen.bytes - 1; ++at) {
                seen.bytes[at] = visited_word.bytes[at];
            }
            seen.bytes[strcspn(seen.bytes, "\n")] = '\0';
            (void)snprintf(line, sizeof line, "%s", seen.bytes);
        } else {
            return Holder::command(word);
        }
        mosrig::guest::say(line);
        return true;
    }

  private:
    static uintptr_t place() { return reinterpret_cast<uintptr_t>(&visited_word.bytes); }
};

const KindOf<Visited> visited("visited");

}  // namespace
