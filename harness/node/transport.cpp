// SPDX-License-Identifier: MIT
#include "harness/node/transport.h"

#include <poll.h>

#include <algorithm>

namespace mosrig {

Millis Transport::poll_limit(bool want_write) {
    if (holds_input()) {
        return Millis(0);
    }
    return want_write ? Millis(50) : Millis(1000 * 60 * 60);
}

Result<void> Transport::resize(TerminalSize) {
    return infra_error("the program at the other end has no terminal");
}

void Transport::await_ready(bool want_write, Millis wait) {
    const Deadline deadline("something from the node", std::min(wait, poll_limit(want_write)));
    pollfd fd{poll_fd(), poll_events(want_write), 0};
    ::poll(&fd, 1, deadline.poll_timeout());
}

}  // namespace mosrig
