// SPDX-License-Identifier: GPL-2.0-only
#include "common/omd_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <array>

#include "common/fd.h"

namespace mosrig {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_answer = 8U << 20U;  // 10,000 nodes are 2 MiB

Result<Fd> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return fail_errno("cannot reach " + path, ENAMETOOLONG);
    }
    path.copy(address.sun_path, path.size());
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid() ||
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail_errno("cannot reach " + path, errno);
    }
    return fd;
}

Result<std::string> read_answer(int fd, Clock::time_point deadline) {
    std::string text;
    std::array<char, 4096> block{};
    while (text.find('\n') == std::string::npos) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd waiting{fd, POLLIN, 0};
        const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return fail_errno("no answer from omd", ready == 0 ? ETIMEDOUT : errno);
        }
        const ssize_t got = ::recv(fd, block.data(), block.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_errno("no answer from omd", errno);
        }
        if (got == 0) {
            break;
        }
        text.append(block.data(), static_cast<std::size_t>(got));
        if (text.size() > largest_answer) {
            return fail_errno("omd's answer is too long", EFBIG);
        }
    }
    return text;
}

}  // namespace

Result<nlohmann::json> ask_omd(const std::string& path, const std::string& request,
                               std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    const auto fd = connect_to(path);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    const std::string line = request + "\n";
    if (::send(fd->get(), line.data(), line.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(line.size())) {
        return fail_errno("cannot ask omd", errno);
    }
    const auto answer = read_answer(fd->get(), deadline);
    if (!answer) {
        return tl::unexpected(answer.error());
    }
    auto parsed = nlohmann::json::parse(*answer, nullptr, false);
    if (!parsed.is_object()) {
        return fail("omd's answer to '" + request + "' is not understood", EPROTO);
    }
    return parsed;
}

}  // namespace mosrig
