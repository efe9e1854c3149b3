// SPDX-License-Identifier: MIT
// One node of a running cluster: run commands, keep processes, read and write files, copy.
//
// A Node holds one connection (opened at the first use) with a small agent on the node at its far
// end, so that a command costs one fork there and a /proc file one round trip. A Node and its
// processes belong to one thread at a time; different nodes may be used by different threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/subprocess.h"
#include "harness/base/terminal_size.h"
#include "harness/console/console.h"
#include "harness/deadline/deadline.h"
#include "harness/node/remote_process.h"

namespace mosrig {

class AgentClient;
class Terminal;
class Transport;

// What a node is, as resolved at `up` (one entry of cluster.json's "nodes").
struct NodeInfo {
    std::string name;     // node1 ...
    std::string domain;   // the hypervisor's name for it
    int id = 0;           // openMosix node number
    std::string address;  // on the fabric
    int ssh_port = 0;     // on the host's loopback
    int vcpus = 1;
    int memory_mib = 0;
    std::string profile;  // open-boot or locked-boot
    std::filesystem::path xml;
    std::filesystem::path console;
    std::filesystem::path overlay;   // empty for an image without a disk
    std::filesystem::path seed;      // tar attached to the node
    std::filesystem::path seed_dir;  // rendered files that go into it
};

// Descriptors of this program that a command on a node is connected to.
struct Streams {
    int in = 0;
    int out = 1;
    int err = 2;
};

class Node {
  public:
    // `keys` is the cluster's folder of keys.
    Node(NodeInfo info, std::filesystem::path keys);
    Node(Node&&) noexcept;
    Node& operator=(Node&&) noexcept;
    ~Node();

    [[nodiscard]] const NodeInfo& info() const { return info_; }
    [[nodiscard]] const std::string& name() const { return info_.name; }
    [[nodiscard]] int id() const { return info_.id; }
    [[nodiscard]] const Console& console() const { return console_; }

    // Opens the connection if there is none. Not needed before the calls below.
    Result<void> connect(const Deadline& deadline);
    // The same over a stream that exists already (tests).
    Result<void> connect_over(std::unique_ptr<Transport> transport, const Deadline& deadline);

    // Runs a command to its end with `input` as its standard input. A command that fails is a
    // result with its status (126 cannot be run, 127 not found, 128+N signal). If the deadline
    // passes, the command is killed and the error is of kind timeout.
    Result<CommandResult> run(const std::vector<std::string>& argv, std::string_view input,
                              const Deadline& deadline, const StartOptions& options = {});

    // Starts a command that goes on while this program does other things. 126 and 127 arrive as
    // its status. It is killed with its process group when the RemoteProcess goes out of scope or
    // this program dies.
    Result<RemoteProcess> start(const std::vector<std::string>& argv, const Deadline& deadline,
                                const StartOptions& options = {});

    // Content of a file, for /proc and the like (at most 1 MiB). Error::sys_errno says why not.
    Result<std::string> read_file(const std::string& path, const Deadline& deadline);
    // Several files in one round trip, in the order given; each with its own success or errno.
    Result<std::vector<Result<std::string>>> read_files(const std::vector<std::string>& paths,
                                                        const Deadline& deadline);
    // What /proc/N/`name` says for each process N, one after the other, without a process made for
    // it: whoever lists them often must not be what is seen.
    Result<std::string> read_all(const std::string& name, const Deadline& deadline);
    // Opens the file (no O_CREAT), writes `data` in one write(2), closes it. Gives the errno of the
    // step that failed, 0 if none did. `user` as in StartOptions.
    Result<int> write_file(const std::string& path, std::string_view data, const Deadline& deadline,
                           int user = 0);

    // What `mosrig exec` does: connects the command to descriptors of this program, without a limit
    // in time, and gives its status when the command itself ends.
    Result<int> run_attached(const std::vector<std::string>& argv, const Streams& streams,
                             const StartOptions& options = {});

    // Logs in as somebody at a terminal of that size would, over a connection of its own.
    Result<std::unique_ptr<Terminal>> open_terminal(TerminalSize size, const Deadline& deadline);

    // Sends a signal to any process of the node. Gives errno, 0 if sent.
    Result<int> send_signal(std::int64_t pid, int signal, const Deadline& deadline);

    // One regular file, content and mode.
    Result<void> copy_to(const std::filesystem::path& local, const std::string& remote,
                         const Deadline& deadline);
    Result<void> copy_from(const std::string& remote, const std::filesystem::path& local,
                           const Deadline& deadline);

  private:
    Result<AgentClient*> client(const Deadline& deadline);
    Result<std::unique_ptr<Transport>> log_in(std::string command,
                                              std::optional<TerminalSize> terminal,
                                              const Deadline& deadline);

    NodeInfo info_;
    std::filesystem::path keys_;
    Console console_;
    std::shared_ptr<AgentClient> client_;
};

}  // namespace mosrig
