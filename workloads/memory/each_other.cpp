// SPDX-License-Identifier: MIT
//
// Two processes, and each reads the other's memory, at the same moment. Whose memory is away has to
// be home for that, and who asks is away himself, in a call.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::fill_bytes;

class EachOther final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    // Whoever opens such a file has its process brought home: so that is done here.
    const char* hold() override {
        if (pipe2(time_, O_CLOEXEC) != 0) {
            return failed("pipe2");
        }
        const char* const wrong = helper_.start(be_other, be_there, this);
        return wrong != nullptr ? wrong : act();
    }

  protected:
    // Who waits in a call moves when that ends.
    const char* step() override { return helper_.undo(); }

    const char* act() override {
        const int64_t when = mosrig::guest::now_ms() + ahead_ms;
        if (write(time_[1], &when, sizeof when) != sizeof when) {
            return failed("write of the time");
        }
        const char* wrong = nullptr;
        const char* const wrong_there =
            helper_.act_amid([&] { wrong = look(helper_.pid(), when, own_seed, other_seed); });
        return wrong != nullptr ? wrong : wrong_there;
    }

  private:
    static constexpr size_t size = size_t{5} * 4096;
    // Until both are asleep.
    static constexpr int64_t ahead_ms = 300;
    static constexpr unsigned own_seed = 1000;
    static constexpr unsigned other_seed = 2000;

    // The child's part; it counts the turns as well.
    static const char* be_other(void* data) {
        auto& self = *static_cast<EachOther*>(data);
        int64_t when = 0;
        if (read(self.time_[0], &when, sizeof when) != sizeof when) {
            return failed("read of the time");
        }
        return self.look(getppid(), when, other_seed, own_seed);
    }

    static const char* be_there(void* /*data*/) { return nullptr; }

    // Writes its own block, and at that time reads the other's.
    const char* look(pid_t other, int64_t when_ms, unsigned own, unsigned others) {
        ++turn_;
        fill_bytes(block_, size, turn_ + own);
        if (memory_ < 0) {
            memory_ = mosrig::guest::open_memory(other);
        }
        const struct timespec when = {when_ms / 1000, when_ms % 1000 * 1000000};
        if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) != 0) {
            return "clock_nanosleep";
        }
        const auto place = static_cast<off_t>(reinterpret_cast<uintptr_t>(block_));
        if (pread(memory_, seen_, size, place) != static_cast<ssize_t>(size)) {
            return failed("read of /proc/PID/mem");
        }
        return mosrig::guest::same_bytes(seen_, size, turn_ + others) ? nullptr
                                                                      : "what the other has";
    }

    alignas(4096) unsigned char block_[size] = {};
    unsigned char seen_[size] = {};
    int time_[2] = {-1, -1};
    int memory_ = -1;
    unsigned turn_ = 0;
    mosrig::guest::Helper helper_;
};

const mosrig::guest::KindOf<EachOther> each_other("each-other");

}  // namespace
