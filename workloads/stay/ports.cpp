// SPDX-License-Identifier: MIT
//
// The right to talk to devices by port instructions.
#include <sys/io.h>

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

const KindOf<SomePorts> some_ports("ioperm");
const KindOf<AllPorts> all_ports("iopl");

}  // namespace
