// SPDX-License-Identifier: MIT
//
// Stopped twice, and then fetched home by the administrator of its node: once it
// goes on, it blocks the signals that it blocked before, and no others.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "workloads/lib/await.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"
#include "workloads/signals/mask.h"

namespace {

using mosrig::guest::failed;

class Brought final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        (void)sigemptyset(&set_);
        (void)sigaddset(&set_, SIGUSR2);
        (void)sigaddset(&set_, SIGRTMIN + 3);
        return sigprocmask(SIG_SETMASK, &set_, nullptr) != 0 ? failed("sigprocmask")
                                                             : helper_.start(bring, bring, nullptr);
    }

  protected:
    const char* act() override {
        const char* const wrong = helper_.act();
        return wrong != nullptr ? wrong : check();
    }

    const char* check() override { return mosrig::guest::blocks_as(set_); }

  private:
    // What /proc/PID/status says of the parent's blocked signals.
    static void read_blocked(char* line, size_t room) {
        char path[64];
        char text[4096];
        (void)snprintf(path, sizeof path, "/proc/%d/status", getppid());
        (void)mosrig::guest::read_text(path, text, sizeof text);
        char* const found = strstr(text, "SigBlk:");
        if (char* const end = found != nullptr ? strchr(found, '\n') : nullptr; end != nullptr) {
            *end = '\0';
        }
        (void)snprintf(line, room, "%s", found != nullptr ? found : "no SigBlk");
    }

    // The child's part, in the place of an administrator.
    static const char* bring(void* /*data*/) {
        static char before[64];
        static char after[64];
        read_blocked(before, sizeof before);
        if (kill(getppid(), SIGSTOP) != 0 || !mosrig::guest::await_state(getppid(), 'T') ||
            kill(getppid(), SIGSTOP) != 0) {
            return failed("a stopped process");
        }
        const char* const wrong = mosrig::guest::bring_home(getppid());
        if (kill(getppid(), SIGCONT) != 0 || wrong != nullptr) {
            return wrong != nullptr ? wrong : failed("SIGCONT");
        }
        // What is blocked for the way home only is not, once it is there.
        const bool as_before = mosrig::guest::await([] {
            read_blocked(after, sizeof after);
            return strcmp(before, after) == 0;
        });
        return as_before ? nullptr : mosrig::guest::reads("blocked signals afterwards", after);
    }

    sigset_t set_ = {};
    mosrig::guest::Helper helper_;
};

const mosrig::guest::KindOf<Brought> brought("brought");

}  // namespace
