// SPDX-License-Identifier: MIT
#include "harness/fabric/control.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "harness/fabric/unix_socket.h"

namespace mosrig::fabric {

namespace {

nlohmann::json reply_to(const std::string& question, const OnQuestion& on_question) {
    const nlohmann::json asked = nlohmann::json::parse(question, nullptr, false);
    std::optional<Impairment> order;
    if (!asked.is_object() || !asked.empty()) {
        Result<Impairment> parsed = parse_impairment(asked);
        if (!parsed) {
            return {{"error", parsed.error().message()}};
        }
        order = *parsed;
    }
    const SwitchState state = on_question(order);
    nlohmann::json reply = to_json(state.impairment);
    reply["frames"] = state.counters.frames;
    reply["dropped"] = state.counters.dropped;
    reply["lost"] = state.counters.lost;
    return reply;
}

Result<SwitchState> read_reply(const std::string& text) {
    const nlohmann::json reply = nlohmann::json::parse(text, nullptr, false);
    if (reply.is_object() && reply.contains("error") && reply["error"].is_string()) {
        return usage_error(reply["error"].get<std::string>());
    }
    SwitchState state;
    MOSRIG_TRY(state.impairment, parse_impairment(reply));
    for (const auto& [key, counter] : {std::pair{"frames", &state.counters.frames},
                                       {"dropped", &state.counters.dropped},
                                       {"lost", &state.counters.lost}}) {
        if (!reply.contains(key) || !reply[key].is_number_unsigned()) {
            return infra_error(fmt::format("mosrig-switch does not say how many were {}", key));
        }
        *counter = reply[key].get<std::uint64_t>();
    }
    return state;
}

}  // namespace

std::filesystem::path control_path(const std::filesystem::path& fabric) {
    std::filesystem::path path = fabric;
    return path.replace_extension(".control");
}

Result<Fd> listen_for_control(const std::filesystem::path& path) {
    return bind_unix(SOCK_DGRAM, path);
}

void answer_control(const Fd& control, const OnQuestion& on_question) {
    for (;;) {
        std::array<char, 512> buffer{};
        sockaddr_un asker{};
        socklen_t length = sizeof(asker);
        const ssize_t got = ::recvfrom(control.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&asker), &length);
        if (got < 0) {
            return;
        }
        const std::string question(buffer.data(), static_cast<std::size_t>(got));
        const std::string reply = reply_to(question, on_question).dump();
        // Who does not wait for the answer does not get it.
        (void)::sendto(control.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                       reinterpret_cast<const sockaddr*>(&asker), length);
    }
}

Result<SwitchState> ask_switch(const std::filesystem::path& path,
                               const std::optional<Impairment>& order, const Deadline& deadline) {
    MOSRIG_TRY(const sockaddr_un address, unix_address(path));
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un self{};
    self.sun_family = AF_UNIX;
    // An address that the kernel picks, for the answer.
    if (!fd ||
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&self), sizeof(self.sun_family)) != 0 ||
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return infra_error(fmt::format("the cluster's network cannot be asked at {}: {}",
                                       path.string(), std::strerror(errno)),
                           "start a cluster of this version: make cluster-up");
    }
    const std::string question = (order ? to_json(*order) : nlohmann::json::object()).dump();
    if (::send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) {
        return errno_error("cannot ask mosrig-switch", errno);
    }
    pollfd answer{fd.get(), POLLIN, 0};
    if (::poll(&answer, 1, deadline.poll_timeout()) <= 0) {
        return deadline.error("mosrig-switch does not answer");
    }
    std::array<char, 512> buffer{};
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0) {
        return errno_error("cannot hear mosrig-switch", errno);
    }
    return read_reply({buffer.data(), static_cast<std::size_t>(got)});
}

}  // namespace mosrig::fabric
