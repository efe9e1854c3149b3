// SPDX-License-Identifier: MIT
#pragma once

#include "memory.h"
#include "wire.h"

namespace mosrig::guest {

// A long-running program that holds one thing which decides whether it may move, and checked
// memory of its own. A son of this class says what it holds.
class Holder : public Workload {
  public:
    explicit Holder(const char* name) : name_(name), memory_(1, 88172645463325252ULL) {}

    // Takes hold of the thing; nullptr or why this node cannot.
    virtual const char* hold() = 0;

    const char* verify() override;
    void summary(char* text, size_t room) override;

  protected:
    // Looks at what is held (or was released); nullptr if it is as it should be.
    virtual const char* check() { return nullptr; }

  private:
    const char* name_;
    CheckedMemory memory_;
    unsigned verified_ = 0;
};

// main() of such a program: takes hold, serves the rig, skips if there is nothing to hold here.
int run_holder(Holder& holder);

}  // namespace mosrig::guest
