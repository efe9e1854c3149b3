// SPDX-License-Identifier: MIT
#include "successor.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace mosrig::guest {

void go_on_as_child(pid_t child) {
    if (child != 0) {
        int status = 0;
        (void)waitpid(child, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

bool go_on_in_child() {
    const pid_t child = fork();
    if (child < 0) {
        return false;
    }
    go_on_as_child(child);
    return true;
}

}  // namespace mosrig::guest
