// SPDX-License-Identifier: MIT
#include "harness/node/node.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "harness/base/fd.h"
#include "harness/node/agent_client.h"
#include "harness/node/passthrough.h"
#include "harness/node/ssh.h"
#include "harness/node/terminal.h"

namespace mosrig {

namespace {

constexpr const char* helper = "/usr/local/lib/mosrig/mosrig-run";

Error remote_error(const Node& node, const std::string& what, int error_number) {
    return {ErrorKind::remote,
            fmt::format("{}: {}", what, std::strerror(error_number)),
            {},
            node.name(),
            error_number};
}

}  // namespace

Node::Node(NodeInfo info, std::filesystem::path keys)
    : info_(std::move(info)), keys_(std::move(keys)), console_(info_.console) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Result<std::unique_ptr<Transport>> Node::log_in(std::string command,
                                                std::optional<TerminalSize> terminal,
                                                const Deadline& deadline) {
    SshTarget target;
    target.port = info_.ssh_port;
    target.identity = keys_ / "id_ed25519";
    target.host_key = keys_ / "host_ed25519.pub";
    target.command = std::move(command);
    target.terminal = terminal;
    auto transport = open_ssh(target, deadline);
    if (!transport) {
        Error error = std::move(transport).error();
        error.node = name();
        return tl::unexpected(std::move(error));
    }
    return transport;
}

Result<void> Node::connect(const Deadline& deadline) {
    if (client_) {
        return {};
    }
    MOSRIG_TRY(auto transport, log_in(std::string(helper) + " agent", {}, deadline));
    return connect_over(std::move(transport), deadline);
}

Result<std::unique_ptr<Terminal>> Node::open_terminal(TerminalSize size, const Deadline& deadline) {
    MOSRIG_TRY(auto transport, log_in({}, size, deadline));
    return std::make_unique<Terminal>(std::move(transport), name(), size);
}

Result<void> Node::connect_over(std::unique_ptr<Transport> transport, const Deadline& deadline) {
    MOSRIG_TRY(client_, AgentClient::open(std::move(transport), name(), deadline));
    return {};
}

Result<AgentClient*> Node::client(const Deadline& deadline) {
    MOSRIG_CHECK(connect(deadline));
    return client_.get();
}

Result<RemoteProcess> Node::start(const std::vector<std::string>& argv, const Deadline& deadline,
                                  const StartOptions& options) {
    MOSRIG_TRY(AgentClient* const agent, client(deadline));
    MOSRIG_TRY(const AgentClient::Started started, agent->start(argv, options, deadline));
    return RemoteProcess(client_, started.id, started.pid);
}

Result<CommandResult> Node::run(const std::vector<std::string>& argv, std::string_view input,
                                const Deadline& deadline, const StartOptions& options) {
    MOSRIG_TRY(RemoteProcess process, start(argv, deadline, options));
    const Result<void> fed = process.write(input, deadline);
    // A command may end without reading its input; that is no error.
    if (!fed && fed.error().kind == ErrorKind::timeout) {
        return tl::unexpected(fed.error());
    }
    MOSRIG_CHECK(process.close_input(deadline));
    CommandResult result;
    MOSRIG_TRY(result.status, process.wait(deadline));
    MOSRIG_TRY(result.out, process.take_output());
    MOSRIG_TRY(result.err, process.take_error_output());
    return result;
}

Result<int> Node::run_attached(const std::vector<std::string>& argv, const Streams& streams,
                               const StartOptions& options) {
    const Deadline deadline(fmt::format("{} to start {}", name(), argv.empty() ? "" : argv[0]),
                            Millis(60'000));
    MOSRIG_TRY(AgentClient* const agent, client(deadline));
    MOSRIG_TRY(const AgentClient::Started started, agent->start(argv, options, deadline));
    return pass_through(*agent, started.id, streams);
}

Result<std::string> Node::read_file(const std::string& path, const Deadline& deadline) {
    MOSRIG_TRY(auto texts, read_files({path}, deadline));
    return std::move(texts[0]);
}

Result<std::vector<Result<std::string>>> Node::read_files(const std::vector<std::string>& paths,
                                                          const Deadline& deadline) {
    MOSRIG_TRY(AgentClient* const agent, client(deadline));
    std::vector<std::uint32_t> requests;
    requests.reserve(paths.size());
    for (const std::string& path : paths) {
        requests.push_back(
            agent->request(wire::Type::read_file, wire::Writer().string(path).payload()));
    }
    std::vector<Result<std::string>> texts;
    texts.reserve(paths.size());
    for (std::size_t index = 0; index < paths.size(); ++index) {
        MOSRIG_TRY(AgentClient::Reply reply, agent->await_reply(requests[index], deadline));
        if (reply.error != 0) {
            texts.emplace_back(tl::unexpected(remote_error(*this, paths[index], reply.error)));
        } else {
            texts.emplace_back(std::move(reply.data));
        }
    }
    return texts;
}

Result<std::string> Node::read_all(const std::string& name, const Deadline& deadline) {
    MOSRIG_TRY(AgentClient* const agent, client(deadline));
    const std::uint32_t request =
        agent->request(wire::Type::read_all, wire::Writer().string(name).payload());
    MOSRIG_TRY(AgentClient::Reply reply, agent->await_reply(request, deadline));
    if (reply.error != 0) {
        return tl::unexpected(remote_error(*this, fmt::format("/proc/*/{}", name), reply.error));
    }
    return std::move(reply.data);
}

Result<int> Node::write_file(const std::string& path, std::string_view data,
                             const Deadline& deadline, int user) {
    MOSRIG_TRY(AgentClient* const agent, client(deadline));
    const std::uint32_t request = agent->request(
        wire::Type::write_file,
        wire::Writer().string(path).string(data).u32(static_cast<std::uint32_t>(user)).payload());
    MOSRIG_TRY(const AgentClient::Reply reply, agent->await_reply(request, deadline));
    return reply.error;
}

Result<int> Node::send_signal(std::int64_t pid, int signal, const Deadline& deadline) {
    MOSRIG_TRY(AgentClient* const agent, client(deadline));
    const std::uint32_t request =
        agent->request(wire::Type::kill, wire::Writer()
                                             .u64(static_cast<std::uint64_t>(pid))
                                             .u32(static_cast<std::uint32_t>(signal))
                                             .payload());
    MOSRIG_TRY(const AgentClient::Reply reply, agent->await_reply(request, deadline));
    return reply.error;
}

namespace {

// What the helper said when a copy failed, without its own name.
Error copy_error(const Node& node, const CommandResult& result) {
    std::string text = result.err;
    const std::string prefix = "mosrig-run: ";
    if (text.starts_with(prefix)) {
        text.erase(0, prefix.size());
    }
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    return {ErrorKind::infra, text.empty() ? "the copy failed" : text, {}, node.name(), 0};
}

}  // namespace

Result<void> Node::copy_to(const std::filesystem::path& local, const std::string& remote,
                           const Deadline& deadline) {
    const Fd file(::open(local.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status = {};
    if (!file || ::fstat(file.get(), &status) != 0) {
        return errno_error(local.string(), errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return errno_error(local.string(), S_ISDIR(status.st_mode) ? EISDIR : EINVAL,
                           "only regular files are copied; pack a directory with tar");
    }
    MOSRIG_TRY(RemoteProcess process,
               start({helper, "put", remote, fmt::format("{:o}", status.st_mode & 07777U),
                      local.filename().string()},
                     deadline));
    std::string buffer(256U << 10, '\0');
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0) {
            return errno_error(local.string(), errno);
        }
        if (got == 0 || !process.write({buffer.data(), static_cast<std::size_t>(got)}, deadline)) {
            break;
        }
    }
    MOSRIG_CHECK(process.close_input(deadline));
    CommandResult result;
    MOSRIG_TRY(result.status, process.wait(deadline));
    MOSRIG_TRY(result.err, process.take_error_output());
    if (!result.ok()) {
        return tl::unexpected(copy_error(*this, result));
    }
    return {};
}

Result<void> Node::copy_from(const std::string& remote, const std::filesystem::path& local,
                             const Deadline& deadline) {
    MOSRIG_TRY(RemoteProcess process, start({helper, "get", remote}, deadline));
    MOSRIG_TRY(const std::optional<std::string> head, process.read_line(deadline));
    unsigned mode = 0;
    unsigned long long size = 0;
    if (!head ||
        std::sscanf(head->c_str(), "%o %llu", &mode, &size) != 2) {  // NOLINT(cert-err34-c)
        CommandResult result;
        MOSRIG_TRY(result.status, process.wait(deadline));
        MOSRIG_TRY(result.err, process.take_error_output());
        return tl::unexpected(copy_error(*this, result));
    }
    std::filesystem::path target = local;
    if (std::filesystem::is_directory(local)) {
        target /= std::filesystem::path(remote).filename();
    }
    const std::string temporary = target.string() + ".mosrig-get";
    Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) {
        return errno_error(target.string(), errno);
    }
    Result<void> written = receive_file(process, file.get(), size, deadline);
    if (written && (::fchmod(file.get(), mode & 07777U) != 0 ||
                    ::rename(temporary.c_str(), target.c_str()) != 0)) {
        written = errno_error(target.string(), errno);
    }
    if (!written) {
        ::unlink(temporary.c_str());
    }
    return written;
}

}  // namespace mosrig
