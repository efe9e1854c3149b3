// SPDX-License-Identifier: MIT
// A transport through sshd to a program on a node.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "harness/base/result.h"
#include "harness/base/terminal_size.h"
#include "harness/deadline/deadline.h"
#include "harness/node/transport.h"

namespace mosrig {

struct SshTarget {
    std::string host = "127.0.0.1";
    int port = 22;
    std::string user = "root";
    std::filesystem::path identity;  // private key
    std::filesystem::path host_key;  // the one public key that the far end may have
    std::string command;             // run there, its standard streams are the transport
    // Then they are a terminal, and without a command it is the user's shell that is run.
    std::optional<TerminalSize> terminal;
};

// Connects, checks the host's key, logs in, starts the command. One try; whoever waits for a node
// to come up calls it again.
Result<std::unique_ptr<Transport>> open_ssh(const SshTarget& target, const Deadline& deadline);

}  // namespace mosrig
