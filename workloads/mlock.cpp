// SPDX-License-Identifier: MIT
//
// Holds locked memory; RELEASE unlocks it.
#include <sys/mman.h>

#include <cstring>

#include "lib/holder.h"

namespace {

using mosrig::guest::errno_text;

class LockedMemory final : public mosrig::guest::Holder {
  public:
    LockedMemory() : Holder("mlock") {}

    const char* hold() override {
        memset(page_, 0x3C, sizeof page_);
        return mlock(page_, sizeof page_) != 0 ? errno_text() : nullptr;
    }

    const char* release() override {
        return munlock(page_, sizeof page_) != 0 ? errno_text() : nullptr;
    }

  private:
    alignas(4096) unsigned char page_[4096] = {};
};

}  // namespace

int main() {
    LockedMemory program;
    return mosrig::guest::run_holder(program);
}
