// SPDX-License-Identifier: MIT
// A stream of bytes to a program on a node, mostly the agent. Never blocks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/terminal_size.h"
#include "harness/deadline/deadline.h"

namespace mosrig {

class Transport {
  public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    Transport(Transport&&) = delete;
    Transport& operator=(Transport&&) = delete;
    virtual ~Transport() = default;

    // Appends what has arrived. False if nothing has; an infra error when the stream has ended.
    virtual Result<bool> read_some(std::string& into) = 0;
    // Takes as much of `data` as there is room for and gives its size, 0 if there is none.
    virtual Result<std::size_t> write_some(std::string_view data) = 0;
    // The program's terminal gets that size, and who is in front of it is told, once. An infra
    // error of a program that has none.
    virtual Result<void> resize(TerminalSize size);
    // Has something arrived that read_some() has not given yet, though the descriptor may be
    // silent? Whoever is about to poll asks last.
    virtual bool holds_input() { return false; }
    // How long a poll on poll_fd() may last: a library below may have taken in what it announced,
    // an answer or word of room to send. To be asked last, but for what to poll for.
    [[nodiscard]] Millis poll_limit(bool want_write);
    // Polls until there may be something to read, or room to write if that is wanted.
    void await_ready(bool want_write, Millis wait);
    // What to poll before the next try; `want_write` if write_some had no room.
    [[nodiscard]] virtual int poll_fd() const = 0;
    [[nodiscard]] virtual short poll_events(bool want_write) const = 0;
};

}  // namespace mosrig
