// SPDX-License-Identifier: GPL-2.0-only
// A socket on which a handshake is under way.
#pragma once

#include <cstdint>
#include <string>

#include "common/fd.h"
#include "omd/handshake.h"
#include "omd/pool.h"

namespace mosrig {

class Connection {
  public:
    enum class Status : std::uint8_t { under_way, authenticated, failed };

    // `connecting`: connect() has not ended yet.
    Connection(Fd fd, Handshake handshake, bool connecting, Instant deadline);

    // Does what can be done without waiting.
    Status advance();
    // EPOLL* events to wait for.
    [[nodiscard]] std::uint32_t interest() const;

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] Instant deadline() const { return deadline_; }
    // Has the other side taken the connection?
    [[nodiscard]] bool connected() const { return !connecting_; }
    [[nodiscard]] const Handshake& handshake() const { return handshake_; }
    // Why it failed, in words.
    [[nodiscard]] const std::string& error() const { return error_; }
    // The authenticated socket; blocking from here on.
    [[nodiscard]] Fd take_socket();

  private:
    enum class Input : std::uint8_t { some, none_yet, failed };

    Status give_up(std::string why);
    [[nodiscard]] Input receive();
    [[nodiscard]] bool send();

    Fd fd_;
    Handshake handshake_;
    bool connecting_;
    Instant deadline_;
    Bytes output_;
    std::string error_;
};

}  // namespace mosrig
