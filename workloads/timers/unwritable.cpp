// SPDX-License-Identifier: MIT
//
// A ppoll writes back what is left of its time, unless the time lies in memory that may only be
// read. Then it cannot be broken off and made again, for it would begin its time anew: so it lasts
// as long as it says, also while most of the memory is on its way and the pages are pushed.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>

#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

class Unwritable final : public mosrig::guest::Arrival {
  public:
    using Arrival::Arrival;

  protected:
    const char* prepare() override {
        constexpr size_t page = 4096;
        void* const place = mosrig::guest::map_private(page);
        if (place == nullptr) {
            return failed("mmap");
        }
        time_ = static_cast<struct timespec*>(place);
        *time_ = {0, time_ms * 1000000};
        return mprotect(place, page, PROT_READ) != 0 ? failed("mprotect") : nullptr;
    }

    // The library's would be told a copy.
    const char* act() override {
        const int64_t begin = mosrig::guest::now_ms();
        if (syscall(SYS_ppoll, nullptr, 0, time_, nullptr, sizeof(long)) != 0) {
            return failed("ppoll");
        }
        const int64_t took = mosrig::guest::now_ms() - begin;
        return took < time_ms || took > most_ms ? differs("ms of a ppoll", took, time_ms) : nullptr;
    }

    const char* check() override {
        return time_->tv_nsec != time_ms * 1000000
                   ? differs("ns that nobody may write", time_->tv_nsec, time_ms * 1000000)
                   : nullptr;
    }

  private:
    static constexpr long time_ms = 300;
    // The push takes some seconds, emulated.
    static constexpr long most_ms = 900;

    struct timespec* time_ = nullptr;
};

const mosrig::guest::KindOf<Unwritable> unwritable("unwritable");

}  // namespace
