// SPDX-License-Identifier: MIT
//
// Takes nearly all memory that its node can give, and sleeps.
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::map_private;

constexpr size_t mib = 1UL << 20;
constexpr size_t left_mib = 60;  // what is too little for a node, and enough to go on

// MemAvailable, 0 if it is not told.
size_t available_mib() {
    char text[4096];
    (void)mosrig::guest::read_text("/proc/meminfo", text, sizeof text);
    return static_cast<size_t>(mosrig::guest::number_after(text, "MemAvailable:")) / 1024;
}

class Hog final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const size_t available = available_mib();
        if (available <= left_mib) {
            return "there is no memory to be taken";
        }
        size_ = (available - left_mib) * mib;
        memory_ = map_private(size_);
        if (memory_ == nullptr) {
            return failed("mmap");
        }
        (void)memset(memory_, 'h', size_);
        return nullptr;
    }

  protected:
    const char* check() override {
        return memory_[0] == 'h' && memory_[size_ - 1] == 'h' ? nullptr : "its memory is lost";
    }

  private:
    unsigned char* memory_ = nullptr;
    size_t size_ = 0;
};

const KindOf<Hog> hog("hog");

}  // namespace
