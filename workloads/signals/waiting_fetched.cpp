// SPDX-License-Identifier: MIT
//
// Fetched home out of a wait that only a signal ends. It has much to bring home, so that the signal
// comes when it is neither there nor here; the wait ends with it all the same, as it would at home.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "workloads/lib/await.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::write_text;

class WaitingFetched final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;
    ~WaitingFetched() override {
        if (child_ > 0) {
            (void)kill(child_, SIGKILL);
            (void)waitpid(child_, nullptr, 0);
        }
    }

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { handled_ = handled_ + 1; };
        action.sa_flags = SA_RESTART;  // which no wait of this kind heeds
        poll_ = epoll_create1(EPOLL_CLOEXEC);
        burden_ = mosrig::guest::map_private(burden_size);
        if (sigaction(SIGUSR1, &action, nullptr) != 0 || poll_ < 0 || burden_ == nullptr ||
            pipe2(order_, O_CLOEXEC) != 0 || pipe2(said_, O_CLOEXEC) != 0) {
            return failed("setting up");
        }
        child_ = fork();
        if (child_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve();
        }
        return child_ < 0 ? failed("fork") : nullptr;
    }

  protected:
    const char* act() override {
        handled_ = 0;
        memset(burden_, static_cast<int>(++turn_), burden_size);
        struct epoll_event event = {};
        if (!mosrig::guest::write_all(order_[1], "!", 1)) {
            return failed("order");
        }
        const int result = epoll_wait(poll_, &event, 1, -1);
        const int error = errno;
        char verdict[160];
        if (!mosrig::guest::read_all(said_[0], verdict, sizeof verdict)) {
            return failed("what the other says");
        }
        if (verdict[0] != '\0') {
            return mosrig::guest::reads("the other", verdict);
        }
        return result != -1 || error != EINTR || handled_ == 0
                   ? differs("error of a wait that a signal ended", error, EINTR)
                   : nullptr;
    }

  private:
    static constexpr size_t burden_size = size_t{64} << 20U;
    // Into the journey, which takes longer, emulated.
    static constexpr int amid_ms = 200;

    [[noreturn]] void serve() const {
        char letter = 0;
        while (mosrig::guest::read_all(order_[0], &letter, 1)) {
            const char* const wrong = disturb();
            if (wrong != nullptr) {
                (void)kill(getppid(), SIGUSR1);
            }
            char verdict[160] = {};
            (void)snprintf(verdict, sizeof verdict, "%s", wrong != nullptr ? wrong : "");
            if (!mosrig::guest::write_all(said_[1], verdict, sizeof verdict)) {
                _exit(1);
            }
        }
        _exit(0);
    }

    // Has the parent fetched by somebody else, and signals it meanwhile. If anything is wrong,
    // another signal lets it go on.
    static const char* disturb() {
        const pid_t parent = getppid();
        if (const char* wrong = mosrig::guest::await_within(parent, "epoll_wait");
            wrong != nullptr) {
            return wrong;
        }
        const pid_t administrator = fork();
        if (administrator == 0) {
            const bool brought = write_text("/proc/hpc/admin/bring", "1");
            _exit(write_text("/proc/hpc/admin/lstay", "0") && brought ? 0 : 1);
        }
        (void)usleep(amid_ms * 1000);
        int status = 0;
        if (administrator < 0 || kill(parent, SIGUSR1) != 0 ||
            waitpid(administrator, &status, 0) != administrator || status != 0) {
            return failed("bring");
        }
        if (mosrig::guest::await([parent] { return !waits(parent); })) {
            return nullptr;
        }
        return "a signal on the way home did not end a wait";
    }

    static bool waits(pid_t process) {
        char path[32];
        char text[64] = {};
        (void)snprintf(path, sizeof path, "/proc/%d/wchan", process);
        (void)mosrig::guest::read_text(path, text, sizeof text);
        return strstr(text, "epoll_wait") != nullptr;
    }

    static inline volatile sig_atomic_t handled_;
    unsigned char* burden_ = nullptr;
    int poll_ = -1;
    int order_[2] = {-1, -1};
    int said_[2] = {-1, -1};
    pid_t child_ = -1;
    size_t turn_ = 0;
};

const mosrig::guest::KindOf<WaitingFetched> waiting_fetched("waiting-fetched");

}  // namespace
