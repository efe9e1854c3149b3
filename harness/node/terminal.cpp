// SPDX-License-Identifier: MIT
#include "harness/node/terminal.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <utility>

namespace mosrig {

Terminal::Terminal(std::unique_ptr<Transport> transport, std::string node, TerminalSize size)
    : transport_(std::move(transport)), node_(std::move(node)), screen_(size) {}

Result<void> Terminal::type(std::string_view keys, const Deadline& deadline) {
    while (!keys.empty()) {
        if (ended_) {
            return infra_error(fmt::format("{}: the session at its terminal has ended", node_));
        }
        if (deadline.expired()) {
            return deadline.error();
        }
        MOSRIG_TRY(const std::size_t sent, transport_->write_some(keys));
        keys.remove_prefix(sent);
        MOSRIG_CHECK(take(sent > 0 ? Millis(0) : deadline.remaining()));
    }
    return {};
}

Result<void> Terminal::await(const std::function<bool(const std::string&)>& wanted,
                             const Deadline& deadline) {
    while (!wanted(text())) {
        if (ended_ || deadline.expired()) {
            return deadline.error(fmt::format("{}{}'s screen shows:\n{}",
                                              ended_ ? "the session has ended; " : "", node_,
                                              text()));
        }
        MOSRIG_CHECK(take(deadline.remaining()));
    }
    return {};
}

Result<void> Terminal::await_end(const Deadline& deadline) {
    while (!ended_) {
        if (deadline.expired()) {
            return deadline.error(fmt::format("{}'s screen shows:\n{}", node_, text()));
        }
        MOSRIG_CHECK(take(deadline.remaining()));
    }
    return {};
}

Result<void> Terminal::take(Millis wait) {
    std::string bytes;
    bool some = false;
    do {
        const Result<bool> got = transport_->read_some(bytes);
        ended_ = !got;
        some = got && *got;
    } while (some);
    if (bytes.empty() && !ended_) {
        pollfd one{transport_->poll_fd(), transport_->poll_events(false), 0};
        const Millis limit = transport_->holds_input() ? Millis(0) : wait;
        if (::poll(&one, 1, static_cast<int>(limit.count())) < 0 && errno != EINTR) {
            return errno_error("poll", errno);
        }
        return {};
    }
    screen_.write(bytes);
    if (const std::string answers = screen_.take_answers(); !answers.empty() && !ended_) {
        return type(answers, Deadline("room for what the terminal answers", Millis(10000)));
    }
    return {};
}

}  // namespace mosrig
