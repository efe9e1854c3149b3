// SPDX-License-Identifier: MIT
//
// Code on the stack: one page of it is made executable, and with it all the stack below.
#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;

constexpr size_t page = 4096;

class StackCode final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        open_ = use_stack();
        return nullptr;
    }

    bool command(const char* word) override {
        if (strcmp(word, "CALL") != 0) {
            return Deed::command(word);
        }
        mosrig::guest::answer(call());
        return true;
    }

  protected:
    const char* act() override {
        return mprotect(open_, page, PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN) != 0
                   ? failed("mprotect")
                   : call();
    }

  private:
    // Below what is used of the stack, and not at its end.
    static constexpr size_t depth = 64 * page;

    // Touches so much of it. A page amid that: others lie below.
    [[gnu::noinline]] static unsigned char* use_stack() {
        volatile unsigned char below[depth];
        for (size_t at = depth; at > 0; at -= page) {
            below[at - page] = 1;
        }
        const auto lowest = reinterpret_cast<uintptr_t>(below);
        // NOLINTNEXTLINE(performance-no-int-to-ptr): what lived there does no more
        return reinterpret_cast<unsigned char*>((lowest + depth / 2) / page * page);
    }

    const char* call() {
        constexpr unsigned char ret = 0xc3;
        unsigned char* const code = open_ - depth / 2 + page;
        *static_cast<volatile unsigned char*>(code) = ret;
        reinterpret_cast<void (*)()>(code)();
        return nullptr;
    }

    unsigned char* open_ = nullptr;
};

const mosrig::guest::KindOf<StackCode> stack_code("stack-code");

}  // namespace
