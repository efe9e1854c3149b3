// SPDX-License-Identifier: MIT
//
// A program that takes more memory when told: EAT for a portion, MAPS for very many small mappings,
// FEAST for all there is. What it has taken, it knows again.
#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::failed;
using mosrig::guest::map_private;

constexpr size_t page = 4096;
constexpr size_t portion = 64UL << 20;
constexpr size_t portions = 256;

class Hungry final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return nullptr; }

    bool command(const char* word) override {
        if (strcmp(word, "EAT") == 0) {
            answer(eat());
        } else if (strcmp(word, "MAPS") == 0) {
            answer(split());
        } else if (strcmp(word, "FEAST") == 0) {
            answer(feast());
        } else {
            return Holder::command(word);
        }
        return true;
    }

  protected:
    const char* check() override {
        for (size_t at = 0; at < eaten_; ++at) {
            for (size_t offset = 0; offset < portion; offset += page) {
                uint64_t seen = 0;
                memcpy(&seen, food_[at] + offset, sizeof seen);
                if (seen != mark(food_[at] + offset)) {
                    return seen == 0 ? "a page of what it ate is empty" : "a page of what it ate";
                }
            }
        }
        return nullptr;
    }

  private:
    // Every page is another one: none is merged, and none can stand for another.
    static uint64_t mark(const unsigned char* at) {
        return reinterpret_cast<uintptr_t>(at) * 6364136223846793005ULL + 1;
    }

    const char* eat() {
        unsigned char* const food = eaten_ < portions ? map_private(portion) : nullptr;
        if (food == nullptr) {
            return failed("memory to eat");
        }
        for (size_t offset = 0; offset < portion; offset += page) {
            const uint64_t value = mark(food + offset);
            memcpy(food + offset, &value, sizeof value);
        }
        food_[eaten_++] = food;
        return nullptr;
    }

    const char* feast() {
        const char* wrong = nullptr;
        while (wrong == nullptr) {
            wrong = eat();
        }
        return wrong;
    }

    // Neighbours that differ are mappings of their own.
    static const char* split() {
        constexpr size_t count = 1000;
        unsigned char* const start = map_private(count * page);
        if (start == nullptr) {
            return failed("mmap");
        }
        for (size_t at = 0; at < count; at += 2) {
            start[at * page] = 1;
            if (mprotect(start + at * page, page, PROT_READ) != 0) {
                return failed("mprotect");
            }
        }
        for (size_t at = 0; at < count; at += 2) {
            if (start[at * page] != 1 || start[(at + 1) * page] != 0) {
                return "a small mapping";
            }
        }
        return munmap(start, count * page) != 0 ? failed("munmap") : nullptr;
    }

    unsigned char* food_[portions] = {};
    size_t eaten_ = 0;
};

const mosrig::guest::KindOf<Hungry> hungry("hungry");

}  // namespace
