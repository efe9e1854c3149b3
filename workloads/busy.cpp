// SPDX-License-Identifier: MIT
//
// The busy loop of the HOWTO, made to check itself: a counter whose every step enters a
// sequence that can be computed in one go, memory full of random bytes, clocks that must not
// step back. It makes no call but poll, read, write and the reading of clocks.
#include "lib/clock.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/tally.h"
#include "lib/wire.h"

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace {

using mosrig::guest::CheckedMemory;
using mosrig::guest::now_ns;

constexpr uint64_t factor = 6364136223846793005ULL;
constexpr uint64_t addend = 1442695040888963407ULL;
constexpr size_t rewrite_step = 16;
constexpr int64_t nanoseconds = 1000000000;

// What `steps` turns of x = x * factor + addend make of `start`, by squaring.
uint64_t sequence_after(uint64_t start, uint64_t steps) {
    uint64_t multiply = 1;
    uint64_t add = 0;
    uint64_t power = factor;
    uint64_t power_add = addend;
    for (; steps > 0; steps >>= 1) {
        if ((steps & 1) != 0) {
            multiply *= power;
            add = add * power + power_add;
        }
        power_add *= power + 1;
        power *= power;
    }
    return start * multiply + add;
}

class Busy final : public mosrig::guest::Workload {
  public:
    Busy(size_t mib, uint64_t seed, int64_t turn_ms, bool clocks, bool wanders)
        : memory_(mib, seed),
          seed_(seed),
          value_(seed),
          mib_(mib),
          clocks_(clocks),
          wanders_(wanders) {
        calibrate(turn_ms);
    }

    bool valid() const { return memory_.valid(); }
    int patience_ms() const override { return 0; }

    void work() override {
        count_to(chunk_);
        if (clocks_) {
            look_at(CLOCK_MONOTONIC, monotonic_);
            look_at(CLOCK_REALTIME, realtime_);
        }
        if (wanders_ && seen_ == nullptr) {
            seen_ = memory_.verify_some();
        }
    }

    const char* verify() override {
        ++verified_;
        if (value_ != sequence_after(seed_, counter_)) {
            return "counter lost its sequence";
        }
        if (stepped_back_ns_ > 0) {
            (void)snprintf(wrong_, sizeof wrong_, "clock stepped back by %lld ns",
                           static_cast<long long>(stepped_back_ns_));
            return wrong_;
        }
        if (const char* wrong = seen_ != nullptr ? seen_ : memory_.verify(); wrong != nullptr) {
            return wrong;
        }
        memory_.rewrite(rewrite_step);
        return nullptr;
    }

    // USAGE: the CPU time that getrusage() tells, in nanoseconds.
    bool command(const char* word) override {
        if (strcmp(word, "USAGE") != 0) {
            return mosrig::guest::tell_signals(word);
        }
        struct rusage usage = {};
        (void)getrusage(RUSAGE_SELF, &usage);
        const int64_t seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
        const int64_t rest = (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
        const long long used = seconds * nanoseconds + rest;
        char text[64];
        (void)snprintf(text, sizeof text, "USAGE %lld", used);
        mosrig::guest::say(text);
        return true;
    }

    void summary(char* text, size_t room) override {
        (void)snprintf(text, room, "busy mib=%zu verified=%u digest=%08x", mib_, verified_,
                       memory_.digest());
    }

  private:
    void count_to(uint64_t steps) {
        uint64_t value = value_;
        for (uint64_t step = 0; step < steps; ++step) {
            value = value * factor + addend;
        }
        value_ = value;
        counter_ += steps;
    }

    // How many steps fill a turn here; measured once, so that the loop itself reads no clock for
    // it.
    void calibrate(int64_t turn_ms) {
        constexpr int64_t enough_ns = 20000000;
        chunk_ = 1U << 16;
        for (;;) {
            const int64_t start = now_ns();
            count_to(chunk_);
            const int64_t taken = now_ns() - start;
            if (taken >= enough_ns) {
                chunk_ = chunk_ * static_cast<uint64_t>(turn_ms) * 1000 /
                         (static_cast<uint64_t>(taken) / 1000);
                return;
            }
            chunk_ *= 2;
        }
    }

    void look_at(clockid_t clock, int64_t& last) {
        const int64_t now = now_ns(clock);
        if (last - now > stepped_back_ns_) {
            stepped_back_ns_ = last - now;
        }
        last = now;
    }

    CheckedMemory memory_;
    uint64_t seed_;
    uint64_t value_;
    uint64_t counter_ = 0;
    uint64_t chunk_ = 0;
    size_t mib_;
    bool clocks_;
    bool wanders_;
    const char* seen_ = nullptr;
    unsigned verified_ = 0;
    int64_t monotonic_ = 0;
    int64_t realtime_ = 0;
    int64_t stepped_back_ns_ = 0;
    char wrong_[64] = {};
};

}  // namespace

int main(int argc, char** argv) {
    using mosrig::guest::flag;
    using mosrig::guest::option;
    Busy busy(static_cast<size_t>(option(argc, argv, "--mib", 1)),
              static_cast<uint64_t>(option(argc, argv, "--seed", 2463534242)),
              option(argc, argv, "--turn-ms", 100), !flag(argc, argv, "--no-clocks"),
              flag(argc, argv, "--wander"));
    if (!busy.valid()) {
        return mosrig::guest::skip("not enough memory for --mib");
    }
    // Without that such a signal ends it, as it ends any program.
    if (const char* wrong = flag(argc, argv, "--tally") ? mosrig::guest::count_signals() : nullptr;
        wrong != nullptr) {
        mosrig::guest::answer(wrong);
        return 1;
    }
    return mosrig::guest::serve(busy);
}
