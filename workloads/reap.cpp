// SPDX-License-Identifier: MIT
//
// reap PID: kills a process and takes its memory at once, as the kernel's OOM killer and its reaper
// do, while the process may still be in the midst of a call. Status 1 if it was gone before that.
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int fail(const char* what) {
    (void)fprintf(stderr, "reap: %s: %m\n", what);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: reap PID\n");
        return 2;
    }
    const long pid = strtol(argv[1], nullptr, 10);
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) {
        return fail("pidfd_open");
    }
    // On a node of one CPU the victim shall not run between the two.
    struct sched_param first = {};
    first.sched_priority = 1;
    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) {
        return fail("SCHED_FIFO");
    }
    if (syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0) != 0) {
        return fail("SIGKILL");
    }
    return syscall(SYS_process_mrelease, handle, 0) != 0 ? fail("process_mrelease") : 0;
}
