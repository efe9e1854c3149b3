// SPDX-License-Identifier: MIT
//
// A program that has memory, and sleeps until somebody asks for it: between two words of the rig it
// makes no call and has nothing to say.
#include "workloads/lib/kinds.h"

namespace {

class Quiet final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return nullptr; }
    int patience_ms() const override { return -1; }
};

const mosrig::guest::KindOf<Quiet> quiet("quiet");

}  // namespace
