// SPDX-License-Identifier: MIT
#include "echo.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iterator>

#include "workloads/lib/bytes.h"

namespace mosrig::guest {

Echo::~Echo() {
    if (child_ > 0) {
        (void)kill(child_, SIGKILL);
        (void)waitpid(child_, nullptr, 0);
    }
}

const char* Echo::hold() {
    if (const char* wrong = prepare(); wrong != nullptr) {
        return wrong;
    }
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ < 0) {
        return failed("fork");
    }
    if (child_ == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        if (getppid() != parent || open_child() != nullptr) {
            _exit(1);
        }
        serve_blocks();
    }
    return open_parent();
}

// One byte, a page, what a pipe holds, and more than any buffer between them.
size_t Echo::size_of(unsigned turn) const {
    constexpr size_t sizes[] = {1, 100, 4096, 4097, 65536, 70000, most};
    return std::min(sizes[turn % std::size(sizes)], largest());
}

void Echo::serve_blocks() {
    for (unsigned turn = 0;; ++turn) {
        const size_t size = size_of(turn);
        if (!receive_block(block_, size)) {
            _exit(2);
        }
        if (!same_bytes(block_, size, turn)) {
            _exit(3);
        }
        std::reverse(block_, block_ + size);
        if (!send_block(block_, size)) {
            _exit(4);
        }
    }
}

const char* Echo::step() {
    const size_t size = size_of(turn_);
    fill_bytes(block_, size, turn_);
    if (!send_block(block_, size)) {
        return failed("send to the child");
    }
    if (!receive_block(block_, size)) {
        return failed("receive from the child");
    }
    std::reverse(block_, block_ + size);
    if (!same_bytes(block_, size, turn_)) {
        return "a block came back changed";
    }
    ++turn_;
    return nullptr;
}

}  // namespace mosrig::guest
