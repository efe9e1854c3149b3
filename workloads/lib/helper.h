// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

namespace mosrig::guest {

// A child that does one thing when told and undoes it when told: what another process does to this
// one. It stays at home, and ends with its parent.
class Helper {
  public:
    // What the child runs; nullptr or what failed.
    using Action = const char* (*)(void* data);

    Helper() = default;
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;
    ~Helper();

    // Makes the child, unless there is one; nullptr or what failed.
    const char* start(Action deed, Action reversal, void* data);
    // Lets the child act or undo, and waits until it has.
    const char* act() { return ask('A'); }
    const char* undo() { return ask('U'); }
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    const char* ask(char letter);
    [[noreturn]] void serve(Action deed, Action reversal, void* data) const;

    pid_t pid_ = 0;
    int asking_ = -1;
    int answering_ = -1;
    char answer_[160] = {};
};

}  // namespace mosrig::guest
