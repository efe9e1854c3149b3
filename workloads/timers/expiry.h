// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstdint>
#include <ctime>

#include "workloads/lib/holder.h"

namespace mosrig::guest {

// Of a timer that counts CPU time: so long that what it may be late is one percent.
constexpr int cpu_seconds = 10;

// Computes without a call: some milliseconds for 200000 steps.
void compute(int steps);

// A timer that ends in a signal, armed before a move and expiring after it: ARM arms it, AWAIT
// computes until the signal is there and says whether it came at its time by the clock that counts.
class Expiry : public Holder {
  public:
    Expiry(const char* name, int signal) : Holder(name), signal_(signal) {}

    const char* hold() override;
    bool command(const char* word) override;

  protected:
    // Arms the timer; how many nanoseconds of clock() are to go by, or 0 if that failed.
    virtual int64_t arm() = 0;
    // Drops what is armed.
    virtual void disarm() {}
    // The clock that decides, in nanoseconds.
    [[nodiscard]] virtual int64_t clock() const = 0;
    // How late it may be. While it is counted, a body tells its home fifty times a second what it
    // has used. The rest is for a tick, that word's way and the signal's, on a slow node.
    [[nodiscard]] virtual int64_t patience() const { return 100000000; }
    // How much earlier than asked for it may come. CPU time is what a process had when a tick came;
    // an emulated node makes up for ticks that it missed, so a few may come together.
    static constexpr int64_t haste = 50000000;
    // Looks at the signal's data; nullptr if they are right.
    virtual const char* judge(const siginfo_t& info);

    static constexpr int64_t second = 1000000000;
    // CPU time of the process as the scheduler measures it, and as the ticks count it that came in
    // both modes, and in user mode. A node that its host starves loses ticks, so that they may show
    // half of what was measured: a timer that counts them is compared with them.
    static int64_t cpu_time();
    static int64_t ticked_time();
    static int64_t ticked_user_time();

    [[nodiscard]] int signal() const { return signal_; }

  private:
    static void take(int signal, siginfo_t* info, void* context);
    const char* await();

    static Expiry* current_;
    int signal_;
    int64_t start_ = 0;
    int64_t span_ = 0;
    volatile sig_atomic_t fired_ = 0;
    int64_t fired_at_ = 0;
    siginfo_t info_ = {};
};

}  // namespace mosrig::guest
