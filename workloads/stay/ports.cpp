// SPDX-License-Identifier: MIT
//
// Instructions that not every process may use as it is: those that talk to devices, and the one
// that reads the time stamp counter, which a process can forbid itself.
#include <sys/io.h>
#include <sys/prctl.h>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

// Of some ports that do no harm.
class SomePorts final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return set(1); }
    const char* release() override { return set(0); }

  private:
    static const char* set(int on) { return ioperm(0x80, 1, on) != 0 ? failed("ioperm") : nullptr; }
};

class AllPorts final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return iopl(3) != 0 ? failed("iopl") : nullptr; }
    const char* release() override { return iopl(0) != 0 ? failed("iopl") : nullptr; }
};

// Nothing here may read a clock meanwhile.
class NoCounter final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return set(PR_TSC_SIGSEGV); }
    const char* release() override { return set(PR_TSC_ENABLE); }

  private:
    static const char* set(int how) {
        return prctl(PR_SET_TSC, how) != 0 ? failed("PR_SET_TSC") : nullptr;
    }
};

const KindOf<SomePorts> some_ports("ioperm");
const KindOf<AllPorts> all_ports("iopl");
const KindOf<NoCounter> no_counter("no-tsc");

}  // namespace
