// SPDX-License-Identifier: MIT
#include "harness/node/terminal.h"

#include <fmt/format.h>

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
        if (sent == 0) {
            transport_->await_ready(true, deadline.remaining());
        }
        MOSRIG_CHECK(take());
    }
    return {};
}

Result<void> Terminal::resize(TerminalSize size) {
    // What is drawn for it may come at once.
    screen_.resize(size);
    return transport_->resize(size);
}

Result<void> Terminal::await(const std::function<bool(const std::string&)>& wanted,
                             const Deadline& deadline) {
    return take_until([&] { return wanted(text()); }, deadline);
}

Result<void> Terminal::await_end(const Deadline& deadline) {
    return take_until([this] { return ended_; }, deadline);
}

Result<void> Terminal::take_until(const std::function<bool()>& done, const Deadline& deadline) {
    while (!done()) {
        if (ended_ || deadline.expired()) {
            return deadline.error(fmt::format("{}{}'s screen shows:\n{}",
                                              ended_ ? "the session has ended; " : "", node_,
                                              text()));
        }
        transport_->await_ready(false, deadline.remaining());
        MOSRIG_CHECK(take());
    }
    return {};
}

Result<void> Terminal::take() {
    std::string bytes;
    Result<bool> got = false;
    do {
        got = transport_->read_some(bytes);
    } while (got && *got);
    ended_ = !got;
    screen_.write(bytes);
    if (const std::string answers = screen_.take_answers(); !answers.empty() && !ended_) {
        return type(answers, Deadline("room for what the terminal answers", Millis(10000)));
    }
    return {};
}

}  // namespace mosrig
