// SPDX-License-Identifier: MIT
//
// A program that binds itself to one processor after the other, and looks where it is: in memory
// that it shares with the kernel, and not by a call.
#include <sched.h>
#include <sys/rseq.h>

#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

class Processor final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        return __rseq_size == 0 ? "the C library has registered no rseq area" : nullptr;
    }

  protected:
    const char* act() override {
        cpu_set_t all;
        if (sched_getaffinity(0, sizeof all, &all) != 0) {
            return failed("sched_getaffinity");
        }
        if (CPU_COUNT(&all) < 2) {
            return "there is one processor only";
        }
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            if (!CPU_ISSET(cpu, &all)) {
                continue;
            }
            if (sched_setaffinity(0, sizeof one, &one) != 0) {
                return failed("sched_setaffinity");
            }
            if (const int seen = sched_getcpu(); seen != cpu) {
                return differs("where it runs", seen, cpu);
            }
        }
        return sched_setaffinity(0, sizeof all, &all) != 0 ? failed("sched_setaffinity") : nullptr;
    }
};

const mosrig::guest::KindOf<Processor> processor("processor");

}  // namespace
