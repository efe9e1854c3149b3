// SPDX-License-Identifier: MIT
#pragma once

#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"

namespace mosrig::guest {

// A program that waits for the lock of a file, in a call that nothing breaks off, while whoever
// holds that lock does something to it. A son of this class says what.
class Blocked : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override;

  protected:
    // Of the process itself, before each turn; nullptr or what failed.
    virtual const char* prepare() { return nullptr; }
    // Of the other, once, while the process is at home; nullptr or what failed.
    virtual const char* open_other(pid_t /*process*/) { return nullptr; }
    // Of the other, while the process waits; nullptr, or what was wrong.
    virtual const char* meanwhile(pid_t process) = 0;

    // Counts both sides' turns, from 1.
    [[nodiscard]] unsigned turn() const { return turn_; }

    const char* act() override;

  private:
    static const char* begin_other(void* data);
    static const char* end_other(void* data);
    [[noreturn]] void be_other(pid_t process);

    Helper helper_;
    unsigned turn_ = 0;
    int file_ = -1;
    int lock_ = -1;
    int said_[2] = {-1, -1};
    pid_t other_ = 0;
};

}  // namespace mosrig::guest
