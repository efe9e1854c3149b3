// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "workloads/lib/bytes.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/holder.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace mosrig::guest {

// A program that, wherever it has come to, first sleeps in one call without an end until the rig
// has a word for it: meanwhile its memory has to follow it. A son of this class says in which call.
class Asleep : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        // Enough memory that it is still on its way when the program falls asleep elsewhere.
        unsigned char* const ballast = map_private(ballast_size);
        if (ballast == nullptr) {
            return failed("mmap");
        }
        fill_bytes(ballast, ballast_size, 1);
        return prepare();
    }

    // The word has come, and wakes nobody again.
    const char* verify() override {
        answers_ = true;
        const char* const wrong = Holder::verify();
        answers_ = false;
        return wrong;
    }

  protected:
    // What hold() of other programs does.
    virtual const char* prepare() { return nullptr; }
    // One sleep; nullptr, or what was wrong.
    virtual const char* sleep() = 0;

    const char* step() override {
        const bool away = place_of(getpid()) > 0;
        const bool sleeps = away && !answers_ && !slept_;
        slept_ = away && (slept_ || sleeps);
        return sleeps ? sleep() : nullptr;
    }

  private:
    static constexpr size_t ballast_size = size_t{32} << 20U;

    bool answers_ = false;
    bool slept_ = false;  // since it has come
};

// The same, woken by a child at home. The child acts once the rig has a word, and once the process
// is seen in the call: a part of the name of the kernel's function in which it waits there.
class Woken : public Asleep {
  public:
    Woken(const char* name, const char* place) : Asleep(name), place_(place) {}

  protected:
    // Makes what the process sleeps for; nullptr or what failed.
    virtual const char* make() = 0;
    // The call, and what came of it; nullptr, or what was wrong.
    virtual const char* call() = 0;
    // Of the child: ends that call; nullptr, or what was wrong.
    virtual const char* wake() = 0;

    [[nodiscard]] pid_t child() const { return helper_.pid(); }

    const char* prepare() override {
        // The helper closes the line itself.
        words_ = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        const char* const wrong = words_ < 0 ? failed("the line to the rig") : make();
        return wrong != nullptr ? wrong : helper_.start(wake_asleep, wake_asleep, this);
    }

    const char* sleep() override {
        const char* seen = nullptr;
        const char* const wrong = helper_.act_amid([&] { seen = call(); });
        // What the child saw comes first: it may be why the call ended as it did.
        return wrong != nullptr ? wrong : seen;
    }

  private:
    static const char* wake_asleep(void* data) {
        auto& self = *static_cast<Woken*>(data);
        struct pollfd word = {self.words_, POLLIN, 0};
        if (poll(&word, 1, -1) != 1 || (word.revents & POLLIN) == 0) {
            return failed("poll for a word of the rig");
        }
        // One that is not seen there is woken nevertheless, to tell of it.
        const char* const unseen = await_within(getppid(), self.place_);
        const char* const wrong = self.wake();
        return unseen != nullptr ? unseen : wrong;
    }

    const char* place_;
    Helper helper_;
    int words_ = -1;
};

}  // namespace mosrig::guest
