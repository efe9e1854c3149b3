// SPDX-License-Identifier: MIT
#pragma once

#include "deed.h"
#include "helper.h"

namespace mosrig::guest {

// A program that waits for the lock of a file, in a call that nothing breaks off, while whoever
// holds that lock does something to it. A son of this class says what. If `stopped`, the other
// stops it out of that call first, and then lets it go on, into the same call again.
class Blocked : public Deed {
  public:
    explicit Blocked(const char* name, bool stopped = false) : Deed(name), stopped_(stopped) {}

    const char* hold() override;

  protected:
    // Of the process itself, before each turn; nullptr or what failed.
    virtual const char* prepare() { return nullptr; }
    // Of the other, once, while the process is at home; nullptr or what failed.
    virtual const char* open_other(pid_t /*process*/) { return nullptr; }
    // Of the other, while the process waits, or is stopped; nullptr, or what was wrong.
    virtual const char* meanwhile(pid_t process) = 0;
    // Of the other, once the process may go on; nullptr, or what was wrong.
    virtual const char* afterwards(pid_t /*process*/) { return nullptr; }

    // For the other: whether the kernel says that the process stays for this reason.
    static const char* stays_for(pid_t process, const char* word);

    [[nodiscard]] bool stopped() const { return stopped_; }
    // Counts both sides' turns, from 1.
    [[nodiscard]] unsigned turn() const { return turn_; }

    const char* act() override;

  private:
    static const char* begin_other(void* data);
    static const char* end_other(void* data);
    const char* disturb(pid_t process);
    [[noreturn]] void be_other(pid_t process);

    bool stopped_;
    Helper helper_;
    unsigned turn_ = 0;
    int file_ = -1;
    int lock_ = -1;
    int said_[2] = {-1, -1};
    pid_t other_ = 0;
};

}  // namespace mosrig::guest
