// SPDX-License-Identifier: MIT
//
// The soft limit of CPU time: SIGXCPU when the process has used that much, wherever it did.
#include <sys/resource.h>

#include "expiry.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::Expiry;

class CpuLimit final : public Expiry {
  public:
    explicit CpuLimit(const char* name) : Expiry(name, SIGXCPU) {}

  protected:
    int64_t arm() override {
        const int64_t limit = cpu_time() / second + 3;
        return set(static_cast<rlim_t>(limit)) ? limit * second - cpu_time() : 0;
    }
    void disarm() override { (void)set(RLIM_INFINITY); }
    [[nodiscard]] int64_t clock() const override { return cpu_time(); }
    // The limit counts ticks as they came, the clock above what the scheduler made of them.
    [[nodiscard]] int64_t haste(int64_t span) const override {
        return Expiry::haste(span) + span / 20;
    }

  private:
    static bool set(rlim_t soft) {
        const struct rlimit limit = {soft, RLIM_INFINITY};
        return setrlimit(RLIMIT_CPU, &limit) == 0;
    }
};

const mosrig::guest::KindOf<CpuLimit> rlimit_cpu("rlimit-cpu");

}  // namespace
