// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <csignal>

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
    // Lets the child act or undo, and waits until it has: in a call, or, until a handler has set
    // the flag, without any.
    const char* act() { return ask('A', nullptr); }
    const char* act(const volatile sig_atomic_t& flag) { return ask('A', &flag); }
    const char* undo() { return ask('U', nullptr); }
    // Lets the child act while this process does something else, and hears what came of it.
    [[nodiscard]] const char* begin_act() const { return tell('A'); }
    const char* end_act() { return hear(); }
    // The same, around a call of this process, which is made if the child has been told.
    template <class Call>
    const char* act_amid(Call call) {
        if (const char* const wrong = begin_act(); wrong != nullptr) {
            return wrong;
        }
        call();
        return end_act();
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    const char* ask(char letter, const volatile sig_atomic_t* flag);
    [[nodiscard]] const char* tell(char letter) const;
    const char* hear();
    [[noreturn]] void serve(Action deed, Action reversal, void* data) const;

    pid_t pid_ = 0;
    int asking_ = -1;
    int answering_ = -1;
    char answer_[160] = {};
};

}  // namespace mosrig::guest
