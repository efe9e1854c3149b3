// SPDX-License-Identifier: MIT
#pragma once

#include "memory.h"
#include "wire.h"
#include "wrong.h"

namespace mosrig::guest {

// A long-running program that holds one thing (a descriptor, a mapping, a child ...), uses it all
// the time, and has checked memory of its own. A son of this class says what it holds.
//
// One more word of the rig: HOLD takes hold of the thing, at the beginning (with --later on the
// command line) or again after RELEASE.
class Holder : public Workload {
  public:
    explicit Holder(const char* name) : name_(name), memory_(1, 88172645463325252ULL) {}

    // Takes hold of the thing; nullptr or what failed.
    virtual const char* hold() = 0;
    // What this node lacks, so that nothing can be held here; nullptr if nothing.
    virtual const char* lacks() { return nullptr; }

    void work() override;
    const char* verify() override;
    bool command(const char* word) override;
    void summary(char* text, size_t room) override;

  protected:
    [[nodiscard]] const char* name() const { return name_; }
    // One short use of the thing, made about every 100 ms wherever the process then is, and once
    // for each VERIFY. nullptr, or what was wrong; the first such answer stays.
    virtual const char* step() { return nullptr; }
    // Looks at what is held (or was released) for a VERIFY; nullptr if it is as it should be.
    virtual const char* check() { return nullptr; }

  private:
    const char* used();

    const char* name_;
    CheckedMemory memory_;
    unsigned verified_ = 0;
    char wrong_[160] = {};
};

// main() of such a program: takes hold unless `later`, and serves the rig. What the node lacks is
// a reason to skip; what cannot be taken hold of for another one is told instead of READY.
int run_holder(Holder& holder, bool later = false);

}  // namespace mosrig::guest
