// SPDX-License-Identifier: MIT
#include "helper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "wrong.h"

namespace mosrig::guest {

Helper::~Helper() {
    if (pid_ > 0) {
        (void)close(asking_);
        (void)close(answering_);
        (void)kill(pid_, SIGKILL);
        (void)waitpid(pid_, nullptr, 0);
    }
}

const char* Helper::start(Action deed, Action reversal, void* data) {
    if (pid_ > 0) {
        return nullptr;
    }
    int ask[2];
    int answer[2];
    if (pipe2(ask, O_CLOEXEC) != 0 || pipe2(answer, O_CLOEXEC) != 0) {
        return failed("pipe");
    }
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) {
        return failed("fork");
    }
    asking_ = ask[pid_ == 0 ? 0 : 1];
    answering_ = answer[pid_ == 0 ? 1 : 0];
    (void)close(ask[pid_ == 0 ? 1 : 0]);
    (void)close(answer[pid_ == 0 ? 0 : 1]);
    if (pid_ == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        // The line to the rig is the parent's alone.
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        serve(deed, reversal, data);
    }
    return nullptr;
}

void Helper::serve(Action deed, Action reversal, void* data) const {
    for (;;) {
        char letter = 0;
        if (read(asking_, &letter, 1) != 1) {
            _exit(0);
        }
        const char* wrong = (letter == 'A' ? deed : reversal)(data);
        char text[160] = {};
        (void)snprintf(text, sizeof text, "%s", wrong != nullptr ? wrong : "");
        if (write(answering_, text, sizeof text) != sizeof text) {
            _exit(1);
        }
    }
}

const char* Helper::ask(char letter, const volatile sig_atomic_t* flag) {
    if (const char* const wrong = tell(letter); wrong != nullptr) {
        return wrong;
    }
    while (flag != nullptr && *flag == 0) {
    }
    return hear();
}

const char* Helper::tell(char letter) const {
    return write(asking_, &letter, 1) != 1 ? failed("write to the helper") : nullptr;
}

const char* Helper::hear() {
    // A line this short is written whole, or not at all.
    if (read(answering_, answer_, sizeof answer_) != sizeof answer_) {
        return failed("read from the helper");
    }
    return answer_[0] != '\0' ? answer_ : nullptr;
}

}  // namespace mosrig::guest
