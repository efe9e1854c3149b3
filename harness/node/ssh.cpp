// SPDX-License-Identifier: MIT
#include "harness/node/ssh.h"

#include <fmt/format.h>
#include <libssh/libssh.h>
#include <poll.h>

#include <algorithm>
#include <array>

namespace mosrig {

namespace {

constexpr const char* terminal_type = "xterm";

struct FreeSession {
    void operator()(ssh_session session) const {
        ssh_disconnect(session);
        ssh_free(session);
    }
};
using Session = std::unique_ptr<ssh_session_struct, FreeSession>;

struct FreeChannel {
    void operator()(ssh_channel channel) const { ssh_channel_free(channel); }
};
using Channel = std::unique_ptr<ssh_channel_struct, FreeChannel>;

struct FreeKey {
    void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, FreeKey>;

tl::unexpected<Error> ssh_error(const std::string& what, ssh_session session) {
    return infra_error(fmt::format("{}: {}", what, ssh_get_error(session)));
}

class SshTransport : public Transport {
  public:
    SshTransport(Session session, Channel channel)
        : session_(std::move(session)), channel_(std::move(channel)) {}

    Result<bool> read_some(std::string& into) override {
        std::array<char, 65536> buffer{};
        const int got = ssh_channel_read_nonblocking(channel_.get(), buffer.data(),
                                                     static_cast<std::uint32_t>(buffer.size()), 0);
        if (got > 0) {
            into.append(buffer.data(), static_cast<std::size_t>(got));
            return true;
        }
        const int noise = ssh_channel_read_nonblocking(
            channel_.get(), buffer.data(), static_cast<std::uint32_t>(buffer.size()), 1);
        if (noise > 0) {
            // The agent itself writes nothing there: this is the shell, or the loader, in trouble.
            complaint_.append(buffer.data(), static_cast<std::size_t>(noise));
        }
        if (got == 0 && ssh_channel_is_open(channel_.get()) != 0 &&
            ssh_channel_is_eof(channel_.get()) == 0) {
            return false;
        }
        while (!complaint_.empty() && complaint_.back() == '\n') {
            complaint_.pop_back();
        }
        return infra_error(complaint_.empty()
                               ? std::string("the connection to the node has ended")
                               : fmt::format("the connection has ended: {}", complaint_));
    }

    Result<std::size_t> write_some(std::string_view data) override {
        if (!has_room()) {
            // Takes in window adjustments and writes what is pending.
            ssh_channel_poll(channel_.get(), 0);
            if (ssh_channel_is_open(channel_.get()) == 0) {
                return infra_error("the connection to the node has ended");
            }
            if (!has_room()) {
                return std::size_t{0};
            }
        }
        const auto size = static_cast<std::uint32_t>(
            std::min<std::size_t>(data.size(), ssh_channel_window_size(channel_.get())));
        const int put = ssh_channel_write(channel_.get(), data.data(), size);
        if (put < 0) {
            return ssh_error("the connection to the node has ended", session_.get());
        }
        return static_cast<std::size_t>(put);
    }

    Result<void> resize(TerminalSize size) override {
        if (ssh_channel_change_pty_size(channel_.get(), size.columns, size.rows) != SSH_OK) {
            return ssh_error("the terminal does not get its size", session_.get());
        }
        return {};
    }

    // Whatever libssh is asked for, be it room or the other stream, it takes in all that has come.
    bool holds_input() override { return ssh_channel_poll(channel_.get(), 0) > 0; }

    [[nodiscard]] int poll_fd() const override { return ssh_get_fd(session_.get()); }
    // libssh wants to write when its own buffer is full; room in the channel's window is
    // announced by the peer, so it is never POLLOUT that one waits for.
    [[nodiscard]] short poll_events(bool) const override {
        const bool pending = (ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) != 0;
        return static_cast<short>(POLLIN | (pending ? POLLOUT : 0));
    }

  private:
    bool has_room() {
        return ssh_channel_window_size(channel_.get()) > 0 &&
               (ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) == 0;
    }

    Session session_;
    Channel channel_;
    std::string complaint_;
};

Result<void> check_host_key(ssh_session session, const SshTarget& target) {
    ssh_key raw = nullptr;
    if (ssh_get_server_publickey(session, &raw) != SSH_OK) {
        return ssh_error("no host key", session);
    }
    const Key seen(raw);
    if (ssh_pki_import_pubkey_file(target.host_key.c_str(), &raw) != SSH_OK) {
        return infra_error(fmt::format("cannot read the host key {}", target.host_key.string()),
                           "run `mosrig down` and `mosrig up`");
    }
    const Key expected(raw);
    if (ssh_key_cmp(seen.get(), expected.get(), SSH_KEY_CMP_PUBLIC) != 0) {
        return infra_error(fmt::format("{}:{} is not the node: its host key is another one",
                                       target.host, target.port),
                           "another program took the port; run `mosrig down` and `mosrig up`");
    }
    return {};
}

Result<void> log_in(ssh_session session, const SshTarget& target) {
    ssh_key raw = nullptr;
    if (ssh_pki_import_privkey_file(target.identity.c_str(), nullptr, nullptr, nullptr, &raw) !=
        SSH_OK) {
        return infra_error(fmt::format("cannot read the key {}", target.identity.string()),
                           "run `mosrig down` and `mosrig up`");
    }
    const Key key(raw);
    if (ssh_userauth_publickey(session, nullptr, key.get()) != SSH_AUTH_SUCCESS) {
        return ssh_error("login refused", session);
    }
    return {};
}

void set_options(ssh_session session, const SshTarget& target, const Deadline& deadline) {
    const int off = 0;
    const int on = 1;
    const long timeout = std::max(1L, static_cast<long>(deadline.remaining().count() / 1000));
    ssh_options_set(session, SSH_OPTIONS_HOST, target.host.c_str());
    ssh_options_set(session, SSH_OPTIONS_PORT, &target.port);
    ssh_options_set(session, SSH_OPTIONS_USER, target.user.c_str());
    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &timeout);
    ssh_options_set(session, SSH_OPTIONS_NODELAY, &on);
    // Nothing of the user's own ssh may change what this connection is.
    ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &off);
    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
    ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    // The guest pays for the cryptography, often under emulation: the cheapest modern ones.
    ssh_options_set(session, SSH_OPTIONS_HOSTKEYS, "ssh-ed25519");
    ssh_options_set(session, SSH_OPTIONS_KEY_EXCHANGE,
                    "curve25519-sha256,curve25519-sha256@libssh.org");
    ssh_options_set(session, SSH_OPTIONS_CIPHERS_C_S,
                    "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes128-ctr");
    ssh_options_set(session, SSH_OPTIONS_CIPHERS_S_C,
                    "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes128-ctr");
}

bool start_command(ssh_channel channel, const SshTarget& target) {
    if (target.terminal &&
        ssh_channel_request_pty_size(channel, terminal_type, target.terminal->columns,
                                     target.terminal->rows) != SSH_OK) {
        return false;
    }
    return target.command.empty()
               ? ssh_channel_request_shell(channel) == SSH_OK
               : ssh_channel_request_exec(channel, target.command.c_str()) == SSH_OK;
}

}  // namespace

Result<std::unique_ptr<Transport>> open_ssh(const SshTarget& target, const Deadline& deadline) {
    Session session(ssh_new());
    if (!session) {
        return infra_error("out of memory");
    }
    set_options(session.get(), target, deadline);
    if (ssh_connect(session.get()) != SSH_OK) {
        return ssh_error(fmt::format("no ssh on {}:{}", target.host, target.port), session.get());
    }
    MOSRIG_CHECK(check_host_key(session.get(), target));
    MOSRIG_CHECK(log_in(session.get(), target));
    Channel channel(ssh_channel_new(session.get()));
    if (!channel || ssh_channel_open_session(channel.get()) != SSH_OK ||
        !start_command(channel.get(), target)) {
        return ssh_error(
            fmt::format("cannot start {}", target.command.empty() ? "a shell" : target.command),
            session.get());
    }
    ssh_set_blocking(session.get(), 0);
    return std::make_unique<SshTransport>(std::move(session), std::move(channel));
}

}  // namespace mosrig
