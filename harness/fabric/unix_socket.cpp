// SPDX-License-Identifier: MIT
#include "harness/fabric/unix_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mosrig::fabric {

Result<sockaddr_un> unix_address(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof(address.sun_path)) {
        return usage_error(fmt::format("{} is too long for a socket", text),
                           "set XDG_RUNTIME_DIR to a shorter path");
    }
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    return address;
}

Result<Fd> bind_unix(int type, const std::filesystem::path& path) {
    MOSRIG_TRY(const sockaddr_un address, unix_address(path));
    Fd fd(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::unlink(path.c_str());
    // Nobody else may connect, not even between bind and a chmod.
    const mode_t old = ::umask(0177);
    const bool bound =
        fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    const int error = errno;
    ::umask(old);
    if (!bound) {
        return errno_error(fmt::format("cannot listen at {}", path.string()), error);
    }
    return fd;
}

}  // namespace mosrig::fabric
