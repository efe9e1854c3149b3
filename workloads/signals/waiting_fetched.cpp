// SPDX-License-Identifier: MIT
//
// Fetched home out of a wait that only a signal ends. It has much to bring home, so that the signal
// comes when it is neither there nor here; the wait ends with it all the same, as it would at home.
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "workloads/lib/await.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

class WaitingFetched final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { handled_ = handled_ + 1; };
        action.sa_flags = SA_RESTART;  // which no wait of this kind heeds
        poll_ = epoll_create1(EPOLL_CLOEXEC);
        burden_ = mosrig::guest::map_private(burden_size);
        return sigaction(SIGUSR1, &action, nullptr) != 0 || poll_ < 0 || burden_ == nullptr
                   ? failed("setting up")
                   : helper_.start(disturb, disturb, nullptr);
    }

  protected:
    const char* act() override {
        handled_ = 0;
        memset(burden_, static_cast<int>(++turn_), burden_size);
        struct epoll_event event = {};
        int result = 0;
        int error = 0;
        const char* const wrong = helper_.act_amid([&] {
            result = epoll_wait(poll_, &event, 1, -1);
            error = errno;
        });
        if (wrong != nullptr) {
            return wrong;
        }
        return result != -1 || error != EINTR || handled_ == 0
                   ? differs("error of a wait that a signal ended", error, EINTR)
                   : nullptr;
    }

  private:
    static constexpr size_t burden_size = size_t{64} << 20U;
    // Into the journey, which takes longer, emulated.
    static constexpr int amid_ms = 200;
    // Part of the name of the kernel's function in which it waits.
    static constexpr const char* place = "epoll_wait";

    // The child's part. If anything is wrong, another signal lets the parent go on.
    static const char* disturb(void* /*data*/) {
        const char* const wrong = fetch_and_signal(getppid());
        return wrong != nullptr && kill(getppid(), SIGUSR1) != 0 ? failed("SIGUSR1") : wrong;
    }

    // Has the parent fetched by somebody else, and signals it meanwhile.
    static const char* fetch_and_signal(pid_t parent) {
        if (const char* wrong = mosrig::guest::await_within(parent, place); wrong != nullptr) {
            return wrong;
        }
        const pid_t administrator = fork();
        if (administrator == 0) {
            _exit(mosrig::guest::bring_home(parent) == nullptr ? 0 : 1);
        }
        (void)usleep(amid_ms * 1000);
        int status = 0;
        if (administrator < 0 || kill(parent, SIGUSR1) != 0 ||
            waitpid(administrator, &status, 0) != administrator || status != 0) {
            return failed("bring");
        }
        return mosrig::guest::await(
                   [parent] { return strstr(mosrig::guest::waits_in(parent), place) == nullptr; })
                   ? nullptr
                   : "a signal on the way home did not end a wait";
    }

    static inline volatile sig_atomic_t handled_;
    unsigned char* burden_ = nullptr;
    int poll_ = -1;
    size_t turn_ = 0;
    mosrig::guest::Helper helper_;
};

const mosrig::guest::KindOf<WaitingFetched> waiting_fetched("waiting-fetched");

}  // namespace
