// SPDX-License-Identifier: MIT
// exec, copy, shell, console.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>

#include "harness/base/fd.h"
#include "harness/base/pointers.h"
#include "harness/cli/verbs.h"
#include "harness/cluster/cluster.h"
#include "harness/node/node.h"

namespace mosrig::cli {

namespace {

// A copy may be large and a node slow; it fails sooner if the connection breaks.
constexpr Millis copy_limit(3'600'000);

int run_exec(const Places& places, const std::string& name,
             const std::vector<std::string>& command) {
    if (command.empty()) {
        return complain(
            Error{ErrorKind::usage, "no command given", "mosrig exec NODE -- CMD ARG...", {}, 0},
            exit_rig_failed);
    }
    // The reader of our output may go away: then write() says so, and the command is ended.
    std::signal(SIGPIPE, SIG_IGN);
    auto cluster = Cluster::open(places.state);
    if (!cluster) {
        return complain(cluster.error(), exit_rig_failed);
    }
    const auto node = cluster->find(name);
    if (!node) {
        return complain(node.error(), exit_rig_failed);
    }
    const auto status =
        (*node)->run_attached(command, {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
    if (!status) {
        return status.error().sys_errno == EPIPE ? 128 + SIGPIPE
                                                 : complain(status.error(), exit_rig_failed);
    }
    return *status;
}

// NODE:PATH, or nothing if the text names a file here. A path with a slash before its colon is one.
struct RemotePath {
    std::string node;
    std::string path;
};
std::optional<RemotePath> parse_remote(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0 || text.find('/') < colon) {
        return std::nullopt;
    }
    return RemotePath{text.substr(0, colon), text.substr(colon + 1)};
}

// Relative paths on a node start where commands do.
std::string absolute_remote(const std::string& path) {
    return path.starts_with('/') ? path : "/root/" + path;
}

Result<void> copy(const Places& places, const std::string& from, const std::string& to) {
    const auto source = parse_remote(from);
    const auto target = parse_remote(to);
    if (source.has_value() == target.has_value()) {
        return usage_error("one of the two has to be NODE:PATH, the other a path here");
    }
    MOSRIG_TRY(Cluster cluster, Cluster::open(places.state));
    MOSRIG_TRY(Node* const node, cluster.find(source ? source->node : target->node));
    const Deadline deadline("the copy", copy_limit);
    return source ? node->copy_from(absolute_remote(source->path), to, deadline)
                  : node->copy_to(from, absolute_remote(target->path), deadline);
}

Result<std::vector<std::string>> ssh_command(const Places& places, const std::string& name) {
    MOSRIG_TRY(Cluster cluster, Cluster::open(places.state));
    MOSRIG_TRY(const Node* const node, cluster.find(name));
    const std::filesystem::path keys = places.state / "keys";
    MOSRIG_TRY(const std::string host_key, read_text_file(keys / "host_ed25519.pub"));
    const std::filesystem::path known = keys / "known_hosts";
    MOSRIG_CHECK(write_text_file(known, "mosrig-node " + host_key, 0600));
    return std::vector<std::string>{"ssh",
                                    "-F",
                                    "none",
                                    "-t",
                                    "-q",
                                    "-i",
                                    (keys / "id_ed25519").string(),
                                    "-o",
                                    "IdentitiesOnly=yes",
                                    "-o",
                                    "StrictHostKeyChecking=yes",
                                    "-o",
                                    "HostKeyAlias=mosrig-node",
                                    "-o",
                                    "UserKnownHostsFile=" + known.string(),
                                    "-p",
                                    std::to_string(node->info().ssh_port),
                                    "root@127.0.0.1"};
}

int run_shell(const Places& places, const std::string& name) {
    auto argv = ssh_command(places, name);
    if (!argv) {
        return complain(argv.error(), exit_rig_failed);
    }
    const std::vector<char*> arguments = pointers(*argv);
    ::execvp(arguments[0], arguments.data());
    const auto failed = errno_error("cannot run ssh", errno, "install openssh-client");
    return complain(failed.value(), exit_rig_failed);
}

// Prints what is there and, if asked, what is added, until interrupted.
Result<void> show_console(const std::filesystem::path& file, bool follow) {
    const Fd console(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!console) {
        return errno_error(fmt::format("cannot read {}", file.string()), errno);
    }
    std::array<char, 65536> buffer{};
    for (;;) {
        const ssize_t got = ::read(console.get(), buffer.data(), buffer.size());
        if (got < 0) {
            return errno_error(fmt::format("cannot read {}", file.string()), errno);
        }
        if (got > 0) {
            std::fwrite(buffer.data(), 1, static_cast<std::size_t>(got), stdout);
            std::fflush(stdout);
        } else if (!follow || std::ferror(stdout) != 0) {
            return {};
        } else {
            // A regular file announces nothing; the person's Ctrl-C ends this.
            ::poll(nullptr, 0, 200);
        }
    }
}

int run_console(const Places& places, const std::string& name, bool follow, bool path) {
    // A console is wanted most when the cluster did not come up.
    const auto info = load_cluster_info(places.state);
    if (!info) {
        return complain(info.error(), exit_infra);
    }
    const auto node = find_node(*info, name);
    if (!node) {
        return complain(node.error(), exit_usage);
    }
    const std::filesystem::path& console = (*node)->console;
    if (path) {
        fmt::print("{}\n", console.string());
        return exit_ok;
    }
    const auto shown = show_console(console, follow);
    return shown ? exit_ok : complain(shown.error(), exit_infra);
}

}  // namespace

Verb add_exec(CLI::App& parser, const Places& places, const std::vector<std::string>& command) {
    auto node = std::make_shared<std::string>();
    CLI::App* const app = parser.add_subcommand(
        "exec",
        "Run a command on a node: mosrig exec NODE -- CMD ARG... Its input, output, errors "
        "and status pass through; 125 if the rig itself fails");
    app->add_option("node", *node, "node1, node2 ...")->required();
    return {app, [node, &command, &places] { return run_exec(places, *node, command); }};
}

Verb add_copy(CLI::App& parser, const Places& places) {
    struct Arguments {
        std::string from;
        std::string to;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* const app = parser.add_subcommand(
        "copy", "Copy a file: mosrig copy SRC NODE:DST or mosrig copy NODE:SRC DST");
    app->add_option("from", arguments->from, "path, or NODE:PATH")->required();
    app->add_option("to", arguments->to, "NODE:PATH, or path")->required();
    return {app, [arguments, &places] {
                const auto done = copy(places, arguments->from, arguments->to);
                if (!done) {
                    return complain(done.error(), exit_rig_failed);
                }
                return exit_ok;
            }};
}

Verb add_shell(CLI::App& parser, const Places& places) {
    auto node = std::make_shared<std::string>();
    CLI::App* const app = parser.add_subcommand("shell", "A login shell on a node");
    app->add_option("node", *node, "node1, node2 ...")->required();
    return {app, [node, &places] { return run_shell(places, *node); }};
}

Verb add_console(CLI::App& parser, const Places& places) {
    struct Arguments {
        std::string node;
        bool follow = false;
        bool path = false;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* const app =
        parser.add_subcommand("console", "Show what a node wrote on its console since its start");
    app->add_option("node", arguments->node, "node1, node2 ...")->required();
    app->add_flag("-f,--follow", arguments->follow, "go on with what is added");
    app->add_flag("--path", arguments->path, "only print the path of the recording");
    return {app, [arguments, &places] {
                return run_console(places, arguments->node, arguments->follow, arguments->path);
            }};
}

}  // namespace mosrig::cli
