// SPDX-License-Identifier: GPL-2.0-only
#include "omd/stub.h"

#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>

#include "omd/log.h"

namespace mosrig {
namespace {

void default_signals() {
    for (int number = 1; number < NSIG; number++) {
        ::signal(number, SIG_DFL);  // fails for some, which have no handler anyway
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_all_but(int first, int second) {
    const auto low = static_cast<unsigned>(std::min(first, second));
    const auto high = static_cast<unsigned>(std::max(first, second));
    if (low > 0) {
        ::close_range(0, low - 1, 0);
    }
    if (high > low + 1) {
        ::close_range(low + 1, high - 1, 0);
    }
    ::close_range(high + 1, ~0U, 0);
}

// noexcept: nothing may come back into the daemon's code.
[[noreturn]] void run_stub(KernelDevice& device, std::uint32_t node, int fd,
                           const std::string& log_path) noexcept {
    ::setsid();
    default_signals();
    ::prctl(PR_SET_NAME, "omd-stub");
    [[maybe_unused]] const int moved = ::chdir("/");
    close_all_but(device.poll_fd(), fd);
    const int code = device.become_body(node, fd);
    if (code != 0) {
        Log log(-1);
        if (log.open(log_path)) {
            log.line("the kernel did not make a body for node {}: {} ({})", node, errno_name(code),
                     strerrordesc_np(code));
        }
    }
    ::_exit(code == 0 ? 0 : 1);
}

}  // namespace

Result<pid_t> fork_stub(KernelDevice& device, std::uint32_t node, int fd,
                        const std::string& log_path) {
    const pid_t pid = ::fork();
    if (pid < 0) {
        return fail_errno("cannot fork a stub", errno);
    }
    if (pid == 0) {
        run_stub(device, node, fd, log_path);
    }
    return pid;
}

}  // namespace mosrig
