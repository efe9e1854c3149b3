// SPDX-License-Identifier: MIT
// Somebody at a terminal of a node: keys go in, a screen is looked at.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/terminal_size.h"
#include "harness/deadline/deadline.h"
#include "harness/node/screen.h"
#include "harness/node/transport.h"

namespace mosrig {

// The session ends when this goes.
class Terminal {
  public:
    // `transport` leads to a program that has a terminal of that size; `node` is the name put into
    // errors.
    Terminal(std::unique_ptr<Transport> transport, std::string node, TerminalSize size);

    // Sends keys as a keyboard would.
    Result<void> type(std::string_view keys, const Deadline& deadline);
    // The screen gets that size, as does the terminal on the node.
    Result<void> resize(TerminalSize size);
    [[nodiscard]] std::string text() const { return screen_.text(); }
    // Waits until the screen is as wanted; the error of a deadline ends with what it shows.
    Result<void> await(const std::function<bool(const std::string&)>& wanted,
                       const Deadline& deadline);
    // Waits until the session has ended.
    Result<void> await_end(const Deadline& deadline);

  private:
    // Takes in what comes until `done`, or the deadline.
    Result<void> take_until(const std::function<bool()>& done, const Deadline& deadline);
    // Takes in what has come.
    Result<void> take();

    std::unique_ptr<Transport> transport_;
    std::string node_;
    Screen screen_;
    bool ended_ = false;
};

}  // namespace mosrig
