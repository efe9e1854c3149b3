// SPDX-License-Identifier: MIT
//
// Runs in the real-time class SCHED_FIFO (and sleeps most of the time); RELEASE goes back to the
// ordinary class.
#include <sched.h>

#include "lib/holder.h"

namespace {

using mosrig::guest::errno_text;

class RealTime final : public mosrig::guest::Holder {
  public:
    RealTime() : Holder("rt-sched") {}

    const char* hold() override { return set(SCHED_FIFO, 1); }
    const char* release() override { return set(SCHED_OTHER, 0); }

  private:
    static const char* set(int policy, int priority) {
        struct sched_param parameter = {};
        parameter.sched_priority = priority;
        return sched_setscheduler(0, policy, &parameter) != 0 ? errno_text() : nullptr;
    }
};

}  // namespace

int main() {
    RealTime program;
    return mosrig::guest::run_holder(program);
}
