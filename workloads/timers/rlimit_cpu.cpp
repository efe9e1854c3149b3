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
        const int64_t limit = clock() / second + mosrig::guest::cpu_seconds + 1;
        return set(static_cast<rlim_t>(limit)) ? limit * second - clock() : 0;
    }
    void disarm() override { (void)set(RLIM_INFINITY); }
    // The limit counts ticks.
    [[nodiscard]] int64_t clock() const override { return ticked_time(); }

  private:
    static bool set(rlim_t soft) {
        const struct rlimit limit = {soft, RLIM_INFINITY};
        return setrlimit(RLIMIT_CPU, &limit) == 0;
    }
};

const mosrig::guest::KindOf<CpuLimit> rlimit_cpu("rlimit-cpu");

}  // namespace
